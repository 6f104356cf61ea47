import Glibc
import ReactorTesting
import Synchronization
import Testing

@testable import ReactorCore

@Suite(.everyBackend) struct ReactorTests {
    @Test func tasksRunOnTheReactorThreadFromFirstStepToLast() async throws {
        try await withReactor { reactor in
            #expect(reactor.isOnReactorThread)
            #expect(Reactor.current === reactor)
            await reactor.yield()
            #expect(reactor.isOnReactorThread)
            async let child = childThreadCheck(reactor)
            #expect(await child)
        }
    }

    @Test func comingBackFromAnotherActorFindsTheSameReactor() async throws {
        try await withReactor { reactor in
            _ = await Elsewhere().work()
            #expect(reactor.isOnReactorThread)
        }
    }

    @Test func errorInATimerIsReportedAndTheRestRuns() async throws {  // S36
        struct Spam: Error {}
        try await withReactor { reactor in
            var reported: [String] = []
            reactor.onUncaughtError = { error, context in reported.append("\(context): \(error)") }
            reactor.callLater(.zero) { throw Spam() }
            var ran = false
            reactor.callLater(.zero) { ran = true }
            try await reactor.sleep(for: .milliseconds(1))
            #expect(ran)
            #expect(
                reported == [
                    "the delayed call made at ReactorCoreTests/ReactorTests.swift:\(#line - 5): Spam()"
                ])
        }
    }

    @Test func callsFromThreadsArriveInOrderPerThread() async throws {  // S39
        try await withReactor { reactor in
            let box = Box()
            await withTaskGroup(of: Void.self) { group in
                for thread in 0..<4 {
                    group.addTask {
                        for number in 0..<5_000 {
                            reactor.callFromThread { box.received[thread].append(number) }
                        }
                    }
                }
            }
            while box.received.map(\.count).reduce(0, +) < 20_000 {
                try await reactor.sleep(for: .milliseconds(1))
            }
            #expect(box.received.allSatisfy { $0 == Array(0..<5_000) })
        }
    }

    @Test func yieldingTasksDoNotHoldUpTimers() async throws {
        try await withReactor { reactor in
            var isOver = false
            reactor.callLater(.milliseconds(5)) { isOver = true }
            while !isOver { await reactor.yield() }
        }
    }

    @Test func yieldAlternatesFairly() async throws {  // S51
        try await withReactor { reactor in
            let log = Log()
            async let first: Void = steps("1", log)
            async let second: Void = steps("2", log)
            _ = await (first, second)
            #expect(log.lines == ["1A", "2A", "1B", "2B"])
        }
    }

    @ReactorActor private func steps(_ name: String, _ log: Log) async {
        log.lines.append(name + "A")
        await Reactor.current.yield()
        log.lines.append(name + "B")
    }
}

// MARK: Many reactors, many threads

extension ReactorTests {
    @Test func reactorsComeAndGoOnManyThreadsAtOnce() async throws {
        try await withReactor { reactor in
            let finished = Counter()
            for _ in 0..<4 {
                try reactor.callInThread {
                    var few = (0..<16).map { _ in Reactor() }
                    for round in 0..<500 { few[round % 16] = Reactor() }
                    finished.add()
                }
            }
            while finished.value < 4 {
                _ = await Elsewhere().work()
                try await reactor.sleep(for: .microseconds(100))
            }
        }
    }

    @Test func hundredThousandCallsFromEightThreadsKeepEachThreadsOrder() async throws {  // S39
        try await withReactor { reactor in
            let received = Received(threads: 8)
            let pool = ThreadPool(limit: 8)
            for thread in 0..<8 {
                try pool.submit {
                    for number in 0..<12_500 {
                        reactor.callFromThread {
                            received.count += 1
                            if received.next[thread] == number { received.next[thread] += 1 }
                        }
                    }
                }
            }
            while received.count < 100_000 { try await reactor.sleep(for: .milliseconds(1)) }
            #expect(received.next == [Int](repeating: 12_500, count: 8))
        }
    }

    /// Only the first item since the last look wakes the loop. Here the loop sleeps between any two: each
    /// must.
    @Test func noWakeUpIsLostWhenTheLoopFallsAsleep() async throws {
        try await withReactor { reactor in
            let pool = ThreadPool(limit: 2)
            for _ in 0..<5_000 { _ = try await pool.run { 1 } }
        }
    }

    @Test func cancellationFromForeignThreadsRacesWithTheEvent() async throws {
        let seed = UInt64.random(in: .min ... .max)
        try await withReactor { reactor in
            var generator = SeededGenerator(seed: seed)
            let pool = ThreadPool(limit: 4)
            for _ in 0..<2_000 {
                let waiter = Waiter<Int>(on: reactor)
                let task = reactor.startTask { () -> Int? in try? await waiter.wait() }
                for _ in 0..<Int.random(in: 0..<3, using: &generator) { await reactor.yield() }
                try pool.submit { task.cancel() }
                if Bool.random(using: &generator) { try pool.submit { task.cancel() } }
                for _ in 0..<Int.random(in: 0..<4, using: &generator) { await reactor.yield() }
                let isFirst = waiter.resume(returning: 1)
                let value = await task.value
                // A task cancelled before it waits may still find the value there: both outcomes are whole.
                #expect(value == (isFirst ? 1 : nil), "seed \(seed)")
            }
        }
    }

    @Test func endedReactorIsFreed() async throws {  // S42
        let reference = WeakReference()
        try await withReactor { reactor in
            reference.reactor = reactor
            try await reactor.sleep(for: .milliseconds(1))
            _ = try await reactor.threadPool.run { 1 }
            _ = try await reactor.resolve(host: "localhost", port: 1)
            _ = try reactor.signals(SIGURG)
            let pair = [Int32](unsafeUninitializedCapacity: 2) { buffer, count in
                count = pipe(buffer.baseAddress!) == 0 ? 2 : 0
            }
            try await reactor.waitUntilWritable(pair[1])
            for fd in pair { close(fd) }
        }
        try await reference.expectFreed()
    }

    @Test func endedReactorOfAManualClockIsFreed() async throws {
        let reference = WeakReference()
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { reactor in
            reference.reactor = reactor
            try await reactor.sleep(for: .seconds(1))
        }
        try await reference.expectFreed()
    }
}

@ReactorActor private final class Received {
    var count = 0
    var next: [Int]
    init(threads: Int) { next = [Int](repeating: 0, count: threads) }
}

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .acquiring) }
    func add() { count.add(1, ordering: .acquiringAndReleasing) }
}

/// Watches a reactor without holding it.
private final class WeakReference: @unchecked Sendable {  // written before the reactor ends, read after
    weak var reactor: Reactor?

    /// Worker threads and timers of the runtime may hold it a moment longer.
    func expectFreed() async throws {
        for _ in 0..<4000 where reactor != nil { try await Task.sleep(for: .milliseconds(5)) }
        #expect(reactor == nil)
    }
}

@ReactorActor private final class Box { var received = [[Int]](repeating: [], count: 4) }
@ReactorActor private final class Log { var lines: [String] = [] }
private func childThreadCheck(_ reactor: Reactor) async -> Bool { reactor.isOnReactorThread }
private actor Elsewhere { func work() -> Int { 1 } }
