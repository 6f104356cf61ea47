import ReactorTesting
import Testing

@testable import Greenlets
@testable import ReactorCore

@Suite struct DeferToGreenletPoolTests {
    struct Spam: Error {}

    @Test(.onReactor)
    @ReactorActor func functionIsCalledWithItsArguments() async throws {  // S40
        let pool = GreenletPool(limit: 2)
        let sums: [Deferred<Int>] = [
            deferToGreenletPool(reactor, pool, add, 3, 4), reactor.deferToGreenletPool(pool, add, 3, 4),
            deferToGreenletPool(reactor, pool, addLater, 3, 4),
            reactor.deferToGreenletPool(pool, addLater, 3, 4),
            deferToGreenletPool(reactor, pool) { add(3, 4) }, reactor.deferToGreenletPool(pool) { add(3, 4) },
            reactor.deferToGreenletPool(pool) { await addLater(3, 4) },
            deferToGreenletPool(reactor, pool) { await addLater(3, 4) },
        ]
        let values = try await gatherResults(sums).value
        #expect(values == Array(repeating: 7, count: 8))
        #expect(pool.count == 0 && pool.availableCount == 2)
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)))
    @ReactorActor func noMoreThanThePoolsLimitRunAtOnce() async throws {
        let pool = GreenletPool(limit: 2)
        let work = Work()
        var order: [Int] = []
        let all = [3, 1, 2, 1].enumerated().map { index, time in
            reactor.deferToGreenletPool(pool, work.sleep, .seconds(time), index).addCallback {
                order.append($0)
            }
        }
        _ = try await gatherResults(all).value
        #expect(work.peak == 2)
        // 0 and 1 begin; 2 at one second; 3 at three, behind those that end then.
        #expect(order == [1, 0, 2, 3] || order == [1, 2, 0, 3])
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func errorKeepsItsType(_ isFull: Bool) async throws {
        let pool = GreenletPool(limit: 1)
        if isFull { _ = pool.trySpawn { try Greenlet.sleep(for: .milliseconds(1)) } }
        let deferred = reactor.deferToGreenletPool(pool, fail, 1)
        await #expect(throws: Spam.self) { try await deferred.value }
        try await pool.join()
    }

    @Test(.onReactor)
    @ReactorActor func cancelledDeferredTakesItsBodyOutOfTheLineOrKillsIt() async throws {
        let pool = GreenletPool(limit: 1)
        var log: [String] = []
        let running = reactor.deferToGreenletPool(pool) { () throws -> Void in
            do { try Greenlet.sleep(for: .seconds(60)) } catch {
                log.append("killed")
                throw error
            }
        }
        let waiting = reactor.deferToGreenletPool(pool) { log.append("waiting") }
        let later = reactor.deferToGreenletPool(pool) { () throws -> Void in
            log.append("later")
            do { try Greenlet.sleep(for: .seconds(60)) } catch {
                log.append("later killed")
                throw error
            }
        }
        try await Greenlet.waitUntilIdle()
        #expect(pool.waiterCount == 2)
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        running.cancel()
        await #expect(throws: GreenletExit.self) { try await running.value }
        try await Greenlet.waitUntilIdle()
        #expect(log == ["killed", "later"])
        later.cancel()
        await #expect(throws: (any Error).self) { try await later.value }
        #expect(log == ["killed", "later", "later killed"])
        #expect(pool.count == 0 && pool.waiterCount == 0)
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)))
    @ReactorActor func suggestedSizeBoundsTheCallsInGreenlets() async throws {
        let work = Work()
        #expect(reactor.greenletPool === reactor.greenletPool && reactor.greenletPool.limit == nil)
        reactor.suggestGreenletPoolSize(2)
        for number in 0..<6 { reactor.callInGreenlet(work.run, .seconds(1), number) }
        try await reactor.sleep(for: .milliseconds(500))
        #expect(work.count == 2)
        reactor.suggestGreenletPoolSize(3)
        try await reactor.sleep(for: .milliseconds(100))
        #expect(work.count == 3)
        reactor.suggestGreenletPoolSize(1)
        try await reactor.sleep(for: .milliseconds(800))
        #expect(work.count == 1)
        try await Greenlet.waitUntilIdle()
        reactor.suggestGreenletPoolSize(nil)
        try await reactor.sleep(for: .milliseconds(100))
        #expect(reactor.greenletPool.waiterCount == 0)
        try await reactor.greenletPool.join()
        #expect(work.count == 0 && work.peak >= 3 && work.begun == [0, 1, 2, 3, 4, 5])
    }

    @Test func negativeSizeIsACallersBug() async {
        await #expect(processExitsWith: .failure) {
            try Reactor().run(until: { reactor.suggestGreenletPoolSize(-1) })
        }
    }
}

private func add(_ a: Int, _ b: Int) -> Int { a + b }
private func addLater(_ a: Int, _ b: Int) async -> Int {
    await Greenlet.yield()
    return a + b
}
private func fail(_ number: Int) throws -> Int { throw DeferToGreenletPoolTests.Spam() }

@ReactorActor private final class Work {
    private(set) var count = 0
    private(set) var peak = 0
    private(set) var begun: [Int] = []

    func sleep(_ time: Duration, _ number: Int) throws -> Int {
        begun.append(number)
        count += 1
        peak = max(peak, count)
        defer { count -= 1 }
        try Greenlet.sleep(for: time)
        return number
    }

    func run(_ time: Duration, _ number: Int) throws { _ = try sleep(time, number) }
}
