import ReactorTesting
import Synchronization
import Testing

@testable import Greenlets
@testable import ReactorCore

@Suite struct GreenletTests {
    @Test func synchronousBodyParksWithoutHoldingTheLoop() async throws {
        try await withReactor { reactor in
            let start = reactor.now
            let greenlets = (0..<100).map { number in
                Greenlet.spawn { () throws -> Int in
                    try Greenlet.sleep(for: .milliseconds(50))
                    return number
                }
            }
            var sum = 0
            for greenlet in greenlets { sum += try await greenlet.get() }
            #expect(sum == 4950)
            #expect(start.duration(to: reactor.now) < .seconds(4), "one behind the other they would take 5 s")
        }
    }

    @Test func bodyDoesNotRunBeforeTheSpawnerWaits() async throws {  // S51
        try await withReactor { _ in
            var log: [String] = []
            let greenlet = Greenlet.spawn { log.append("body") }
            log.append("spawner")
            try await greenlet.join()
            #expect(log == ["spawner", "body"])
        }
    }

    @Test func killReachesAParkedFiberAtItsNextSwiftFrame() async throws {
        try await withReactor { _ in
            var seen: (any Error)?
            let greenlet = Greenlet.spawn {
                do { try Greenlet.sleep(for: .seconds(60)) } catch { seen = error; throw error }
            }
            await Reactor.current.yield()
            await Reactor.current.yield()
            try await greenlet.kill()
            #expect(seen is GreenletExit)
            #expect(greenlet.isReady)
            #expect(greenlet.isSuccessful)
        }
    }

    @Test func killedBeforeItsStartTheBodyNeverRuns() async throws {  // S53
        try await withReactor { _ in
            var ran = false
            let greenlet = Greenlet.spawn { ran = true }
            try await greenlet.kill()
            #expect(!ran)
            await #expect(throws: GreenletExit.self) { try await greenlet.get() }
        }
    }

    @Test func waitingOutsideAGreenletIsAClearError() {
        #expect { try Greenlet.sleep(for: .seconds(1)) } throws: {
            ($0 as? GreenletError)?.code == .notInGreenlet
        }
    }

    @Test func taskLocalsAndCurrentAreTheGreenletsOwnAcrossParks() async throws {
        try await withReactor { _ in
            let greenlets = (0..<10).map { number in
                Greenlet.spawn(name: "g\(number)") { () throws -> Bool in
                    try Locals.$number.withValue(number) {
                        try Greenlet.sleep(for: .milliseconds(1))
                        return Locals.number == number && AnyGreenlet.current?.name == "g\(number)"
                    }
                }
            }
            for greenlet in greenlets {
                let isOwn = try await greenlet.get()
                #expect(isOwn)
            }
            #expect(AnyGreenlet.current == nil)
        }
    }

    @Test func deferToGreenletFiresOnTheReactor() async throws {  // S40
        try await withReactor { reactor in
            let value = try await reactor.deferToGreenlet { () throws -> Int in
                try Greenlet.sleep(for: .milliseconds(1))
                return 7
            }.addCallback { $0 * 2 }.value
            #expect(value == 14)
        }
    }

    @Test func waitForDeferredParksTheGreenlet() async throws {
        try await withReactor { reactor in
            let deferred = Deferred<Int>()
            reactor.callLater(.milliseconds(1)) { try deferred.callback(5) }
            let value = try await Greenlet.spawn { try waitForDeferred(deferred) }.get()
            #expect(value == 5)
        }
    }

    @Test func errorThatNobodyWaitsForIsReported() async throws {
        struct Lost: Error {}
        try await withReactor { reactor in
            var reported: [String] = []
            reactor.onUncaughtError = { error, context in reported.append("\(error) \(context.prefix(13))") }
            let greenlet = Greenlet.spawn(name: "g") { () throws -> Void in throw Lost() }
            while !greenlet.isReady { await reactor.yield() }
            #expect(reported == ["Lost() greenlet \"g\" "])
        }
    }
}

// MARK: Ends, kills and observers

extension GreenletTests {
    struct Lost: Error {}

    @Test func errorIsReportedWhenItsOnlyWaiterHasGivenUp() async throws {
        try await withReactor { reactor in
            var reports = 0
            reactor.onUncaughtError = { _, _ in reports += 1 }
            let greenlet = Greenlet.spawn { () async throws -> Void in
                await reactor.yield()
                throw Lost()
            }
            let waiter = reactor.startTask { _ = try? await greenlet.get() }
            await reactor.yield()
            // The greenlet runs next; its waiter is cancelled, but has not run to leave the line.
            waiter.cancel()
            await waiter.value
            while !greenlet.isReady { await reactor.yield() }
            #expect(reports == 1)
        }
    }

    @Test func errorThatAnyoneReceivesIsNotReported() async throws {
        try await withReactor { _ in  // which fails for reported errors
            let greenlet = Greenlet.spawn { () throws -> Void in throw Lost() }
            await #expect(throws: Lost.self) { try await greenlet.get() }
        }
    }

    @Test func killedBeforeItsStartIsReadyButWasNeverStarted() async throws {  // S52, S53
        try await withReactor { _ in
            let synchronous = Greenlet.spawn {}
            let asynchronous = Greenlet.spawn { () async in }
            synchronous.cancel()
            asynchronous.cancel()
            try await synchronous.join()
            try await asynchronous.join()
            #expect(!synchronous.isStarted && synchronous.isReady && synchronous.isSuccessful)
            #expect(!asynchronous.isStarted && asynchronous.isReady && asynchronous.isSuccessful)
        }
    }

    @Test(arguments: [false, true])
    func killWithAnotherErrorIsAFailureWithThatError(_ isAsync: Bool) async throws {  // S53
        try await withReactor { reactor in
            let greenlet =
                isAsync
                ? Greenlet.spawn { () async throws -> Void in try await Greenlet.sleep(for: .seconds(60)) }
                : Greenlet.spawn { () throws -> Void in try Greenlet.sleep(for: .seconds(60)) }
            await reactor.yield()
            await reactor.yield()
            try await greenlet.kill(throwing: Lost())
            try await greenlet.kill()  // ended: nothing happens
            #expect(!greenlet.isSuccessful)
            await #expect(throws: Lost.self) { try await greenlet.get() }
        }
    }

    @Test func killedGreenletThatCatchesEndsWithItsOwnValue() async throws {  // S54
        try await withReactor { reactor in
            let greenlet = Greenlet.spawn { () throws -> Int in
                do { try Greenlet.sleep(for: .seconds(60)) } catch {}
                return 5
            }
            await reactor.yield()
            await reactor.yield()
            try await greenlet.kill()
            let value = try await greenlet.get()
            #expect(value == 5)
        }
    }

    @Test func greenletMayKillItself() async throws {
        try await withReactor { _ in
            var isPast = false
            let synchronous = Greenlet.spawn { () throws -> Void in
                try AnyGreenlet.current?.kill()
                try Greenlet.yield()
                isPast = true
            }
            try await synchronous.join()
            #expect(synchronous.isSuccessful && !isPast)
            let asynchronous = Greenlet.spawn { () async throws -> Void in
                try await AnyGreenlet.current?.kill()
                try await Greenlet.sleep(for: .seconds(60))
                isPast = true
            }
            try await asynchronous.join()
            #expect(asynchronous.isSuccessful && !isPast)
        }
    }

    /// The Deferred says `cancelled`, which is only how the kill arrived.
    @Test(arguments: [false, true])
    func killedWhileItWaitsForADeferredEndsAsKilled(_ isAsync: Bool) async throws {
        try await withReactor { reactor in
            var seen: (any Error)?
            let deferred = Deferred<Int>()
            let greenlet =
                isAsync
                ? Greenlet.spawn { () async throws -> Int in try await deferred.value }
                : Greenlet.spawn { () throws -> Int in
                    do { return try waitForDeferred(deferred) } catch {
                        seen = error
                        throw error
                    }
                }
            await reactor.yield()
            await reactor.yield()
            greenlet.cancel()
            while !greenlet.isReady { await reactor.yield() }
            #expect(greenlet.isSuccessful)
            #expect(isAsync || seen is GreenletExit)
            #expect(deferred.isCalled)
        }
    }

    @Test func parkedGreenletsGoOnWhenTheReactorRunsAgain() throws {
        let clock = ManualClock()
        let reactor = Reactor(clock: clock)
        let log = Mutex<[String]>([])
        try reactor.run(until: {
            _ = Greenlet.spawn { () async throws -> Void in
                try await Greenlet.sleep(for: .milliseconds(1))
                log.withLock { $0.append("async") }
            }
            _ = Greenlet.spawn { () throws -> Void in
                try Greenlet.sleep(for: .milliseconds(1))
                log.withLock { $0.append("synchronous") }
            }
            await reactor.yield()
        })
        #expect(log.withLock { $0 } == [])
        try reactor.run(until: { await clock.pump([.milliseconds(1)]) })
        #expect(log.withLock { $0 }.sorted() == ["async", "synchronous"])
    }

    @Test func timeoutOfGetLeavesTheGreenletAlone() async throws {
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { _ in
            let greenlet = Greenlet.spawn { () throws -> Int in
                try Greenlet.sleep(for: .seconds(10))
                return 1
            }
            let error = await #expect(throws: GreenletError.self) {
                try await greenlet.get(timeout: .seconds(1))
            }
            #expect(error?.code == .timedOut)
            let isOver = try await greenlet.join(timeout: .seconds(1))
            #expect(!isOver)
            let value = try await greenlet.get()
            #expect(value == 1)
        }
    }

    @Test func cancelledDeferToGreenletEndsQuietly() async throws {
        let reports = UnhandledErrorRecorder()
        try await withReactor { reactor in
            for isStarted in [false, true] {
                let deferred = reactor.deferToGreenlet { try Greenlet.sleep(for: .seconds(60)) }
                if isStarted { for _ in 0..<3 { await reactor.yield() } }
                deferred.cancel()
                while !deferred.isCalled { await reactor.yield() }
            }
        }
        #expect(reports.errors().isEmpty)
    }

    @Test func greenletThatSpawnsItsSuccessorIsFreed() async throws {
        try await withReactor { reactor in
            let past = Past()
            @ReactorActor func spawn(_ number: Int) {
                let greenlet = Greenlet.spawn {
                    if number < 500 { spawn(number + 1) }
                }
                past.greenlets.append(WeakGreenlet(greenlet))
            }
            spawn(0)
            while past.greenlets.count <= 500 { await reactor.yield() }
            for _ in 0..<10 { await reactor.yield() }
            #expect(past.greenlets.count { $0.greenlet != nil } == 0)
        }
    }

    @Test func parkedThousandsEndWithTheirRegistryEmpty() async throws {
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { reactor in
            var ended = 0
            let greenlets = (0..<10_000).map { number in
                Greenlet.spawn { () async throws -> Void in
                    try await Greenlet.sleep(for: .seconds(number % 60))
                    ended += 1
                }
            }
            #expect(GreenletRegistry.of(reactor).greenlets.count == 10_000)
            for greenlet in greenlets { try await greenlet.join() }
            #expect(ended == 10_000)
            #expect(GreenletRegistry.of(reactor).greenlets.isEmpty)
        }
    }
}

@ReactorActor private final class Past { var greenlets: [WeakGreenlet] = [] }
@ReactorActor private struct WeakGreenlet {
    weak var greenlet: AnyGreenlet?
    init(_ greenlet: AnyGreenlet) { self.greenlet = greenlet }
}

private enum Locals { @TaskLocal static var number = -1 }
