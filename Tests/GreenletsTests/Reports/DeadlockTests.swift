import Glibc
import Greenlets
import ReactorTesting
import Synchronization
import Testing

@testable import ReactorCore

@Suite struct DeadlockTests {
    /// Runs `main` on a reactor of its own until it ends, on a thread of its own.
    private static func run(
        _ main: @escaping @Sendable @ReactorActor (Reactor) async throws -> Void
    ) async -> Result<Void, any Error> {
        let reactor = Reactor()
        return await withUnsafeContinuation { continuation in
            let pool = ThreadPool(limit: 1)
            // A fresh pool always has a thread to give.
            try! pool.submit {
                continuation.resume(
                    returning: Result {
                        try reactor.run(until: {
                            reactor.deadlockPatience = .milliseconds(30)
                            try await main(reactor)
                        })
                    })
            }
        }
    }

    @Test func mainFunctionThatWaitsForParkedGreenletsGetsAnErrorThatNamesAll() async throws {
        let result = await Self.run { _ in
            let channel = Channel<Int>()
            let reader = Greenlet.spawn(name: "reader") { () throws -> Int in try channel.receive() }
            let joiner = Greenlet.spawn(name: "joiner") { try await reader.join() }
            try await joiner.join()
        }
        let error = try #require(throws: DeadlockError.self) { try result.get() }
        #expect(error.waits.count == 3)
        #expect(error.cycles.isEmpty)
        let text = error.description
        for part in [
            "greenlet \"reader\" (1, spawned at GreenletsTests/DeadlockTests.swift:",
            "the end of greenlet \"reader\", held by greenlet \"reader\" (1,",
            "the main function of GreenletsTests/DeadlockTests.swift:",
            "the end of greenlet \"joiner\", held by greenlet \"joiner\" (2,",
        ] { #expect(text.contains(part), "\(text)") }
    }

    @Test(arguments: [true, false])
    func greenletsThatJoinEachOtherAreACycle(_ isSynchronous: Bool) async throws {
        let result = await Self.run { _ in
            let pair = Pair()
            if isSynchronous {
                pair.first = Greenlet.spawn(name: "a") { try pair.second!.join() }
                pair.second = Greenlet.spawn(name: "b") { try pair.first!.join() }
            } else {
                pair.first = Greenlet.spawn(name: "a") { try await pair.second!.join() }
                pair.second = Greenlet.spawn(name: "b") { try await pair.first!.join() }
            }
            try await pair.first!.join()
        }
        let error = try #require(throws: DeadlockError.self) { try result.get() }
        #expect(error.cycles.count == 1)
        #expect(error.cycles.first?.count == 2)
        let cycle = try #require(error.description.split(separator: "\n").dropFirst().first)
        #expect(cycle.hasPrefix("  cycle: greenlet \"a\" (1"))
    }

    @Test func mainFunctionMayGoOnAfterADeadlock() async throws {
        let result = await Self.run { _ in
            let channel = Channel<Int>()
            await #expect(throws: DeadlockError.self) { _ = try await channel.receive() }
            await #expect(throws: DeadlockError.self) { _ = try await channel.receive() }
        }
        try result.get()
    }

    @Test func oneDeadlockOfARunWithoutMainFunctionIsReportedOnce() async throws {
        let reactor = Reactor()
        let reports = UncaughtReports()
        reactor.whenRunning {
            reactor.deadlockPatience = .milliseconds(20)
            reactor.onUncaughtError = { error, context in
                reports.lines.withLock { $0.append("\(context): \(error)") }
            }
            let channel = Channel<Int>()
            _ = Greenlet.spawn(name: "stuck") { () throws -> Int in try channel.receive() }
        }
        let pool = ThreadPool(limit: 1)
        await withUnsafeContinuation { (done: UnsafeContinuation<Void, Never>) in
            try! pool.submit {  // as above
                try? reactor.run()
                done.resume()
            }
            Task.detached {
                while reports.lines.withLock({ $0.isEmpty }) { try await Task.sleep(for: .milliseconds(5)) }
                // Woken by nothing in particular, it looks again.
                for _ in 0..<5 {
                    reactor.callFromThread {}
                    try await Task.sleep(for: .milliseconds(50))
                }
                try reactor.stop()
            }
        }
        #expect(reports.lines.withLock { $0.count } == 1)
        #expect(reports.lines.withLock { $0[0].contains("greenlet \"stuck\"") })
    }

    enum Outside: CaseIterable { case timer, descriptor, waker, thread, otherPool, signal, unknown }

    @Test(arguments: Outside.allCases)
    func whatMayStillWakeSomebodyIsNoDeadlock(_ outside: Outside) async throws {
        let result = await Self.run { reactor in
            reactor.deadlockPatience = .milliseconds(1)
            let channel = Channel<Int>()
            let pool = ThreadPool(limit: 1)
            let end = End()
            defer { end.hasCome.withLock { $0 = true } }
            var keep: [Any] = []
            switch outside {
            case .timer: reactor.callLater(.milliseconds(60)) { _ = try? channel.trySend(1) }
            case .descriptor:
                var ends: [Int32] = [0, 0]
                #expect(pipe(&ends) == 0)
                try reactor.addReader(ends[0]) {}
                keep.append(Closer(reactor, ends))
            case .waker: keep.append(reactor.externalWaker())
            case .thread: _ = reactor.deferToThread { while !end.hasCome.withLock({ $0 }) { usleep(1000) } }
            case .otherPool:
                _ = reactor.deferToThreadPool(pool) { while !end.hasCome.withLock({ $0 }) { usleep(1000) } }
            case .signal: keep.append(try reactor.onSignal(SIGURG) { _ in })
            case .unknown:
                _ = Greenlet.spawn {
                    await Task.detached {
                        while !end.hasCome.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(5)) }
                    }.value
                }
            }
            let waker = Task.detached {
                try await Task.sleep(for: .milliseconds(60))
                reactor.callFromThread { _ = try? channel.trySend(2) }
            }
            let value = try await channel.receive()
            #expect(value > 0)
            _ = await waker.result
            for item in keep {
                if let handler = item as? SignalHandler { handler.cancel() }
                if let closer = item as? Closer { closer.close() }
            }
        }
        try result.get()
    }

    @Test func releasedWakerLetsADeadlockBeSeen() async throws {
        let result = await Self.run { reactor in
            reactor.deadlockPatience = .milliseconds(1)
            let waker = reactor.externalWaker()
            Task.detached {
                try await Task.sleep(for: .milliseconds(20))
                waker.release()
            }
            _ = try await Channel<Int>().receive()
        }
        #expect(throws: DeadlockError.self) { try result.get() }
    }

    @Test func withoutPatienceNothingIsReported() async throws {
        let result = await Self.run { reactor in
            reactor.deadlockPatience = nil
            let channel = Channel<Int>()
            Task.detached {
                try await Task.sleep(for: .milliseconds(50))
                reactor.callFromThread { _ = try? channel.trySend(1) }
            }
            _ = try await channel.receive()
        }
        try result.get()
    }

    @Test func quietLoopLooksOnceAndThenSleeps() async throws {
        let result = await Self.run { reactor in
            reactor.deadlockPatience = .milliseconds(5)
            let channel = Channel<Int>()
            _ = Greenlet.spawn(name: "parked") { _ = try await channel.receive() }
            let before = reactor.turnCount
            // Suspended on something unknown, so that there is no deadlock.
            await Task.detached { try? await Task.sleep(for: .milliseconds(100)) }.value
            #expect(reactor.turnCount - before < 8)
            channel.close()
        }
        try result.get()
    }
}

private final class UncaughtReports: Sendable { let lines = Mutex<[String]>([]) }
private final class End: Sendable { let hasCome = Mutex(false) }

@ReactorActor private final class Pair {
    var first: Greenlet<Bool>?
    var second: Greenlet<Bool>?
}

@ReactorActor private final class Closer {
    private let reactor: Reactor
    private let ends: [Int32]
    init(_ reactor: Reactor, _ ends: [Int32]) {
        self.reactor = reactor
        self.ends = ends
    }
    func close() {
        reactor.removeReader(ends[0])
        for fd in ends { Glibc.close(fd) }
    }
}
