import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct BlockingCallTests {
    @Test func valueOfThePlainFormComesBack() async throws {  // S41
        try await withReactor { reactor in
            let onReactor = try await reactor.threadPool.run {
                try reactor.blockingCallFromThread { reactor.isOnReactorThread }
            }
            #expect(onReactor)
        }
    }

    @Test func valueOfADeferredComesBackNowOrLater() async throws {  // S41
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { reactor in
            let now = try await reactor.threadPool.run {
                try reactor.blockingCallFromThread { Deferred.succeed(5) }
            }
            let later = try await reactor.threadPool.run {
                try reactor.blockingCallFromThread {
                    let deferred = Deferred<Int>()
                    reactor.callLater(.milliseconds(100)) { try deferred.callback(6) }
                    return deferred
                }
            }
            #expect((now, later) == (5, 6))
        }
    }

    @Test func valueOfAnAsyncBodyComesBack() async throws {
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { reactor in
            let value = try await reactor.threadPool.run {
                try reactor.blockingCallFromThread {
                    try await reactor.sleep(for: .seconds(1))
                    return 7
                }
            }
            #expect(value == 7)
        }
    }

    enum Form: CaseIterable { case plain, deferred, laterDeferred, throwingDeferred, async }

    @Test(arguments: Form.allCases) func errorIsThrownWithItsOwnType(_ form: Form) async throws {  // S41
        struct Spam: Error { let text = "spam" }
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { reactor in
            let error = await #expect(throws: Spam.self) {
                try await reactor.threadPool.run {
                    switch form {
                    case .plain: try reactor.blockingCallFromThread { () throws -> Void in throw Spam() }
                    case .deferred: try reactor.blockingCallFromThread { Deferred<Void>.fail(Spam()) }
                    case .throwingDeferred:
                        try reactor.blockingCallFromThread { () throws -> Deferred<Void> in throw Spam() }
                    case .laterDeferred:
                        try reactor.blockingCallFromThread {
                            let deferred = Deferred<Void>()
                            reactor.callLater(.milliseconds(100)) { try deferred.errback(Spam()) }
                            return deferred
                        }
                    case .async:
                        try reactor.blockingCallFromThread {
                            try await reactor.sleep(for: .seconds(1))
                            throw Spam()
                        }
                    }
                }
            }
            #expect(error?.text == "spam")
        }
    }

    @Test func onTheReactorsOwnThreadItIsAnErrorThatSaysWhatToDo() async throws {
        try await withReactor { reactor in
            let ran = SharedFlag()
            let error = #expect(throws: ReactorError.self) { try callHere(reactor) { ran.set() } }
            #expect(error?.code == .wouldBlockItself)
            #expect(error?.message.contains("await") == true)
            await reactor.yield()
            #expect(!ran.isSet)
        }
    }

    @Test func reactorThatDoesNotRunIsAnErrorNotAHang() {
        let reactor = Reactor()
        let ran = SharedFlag()
        let error = #expect(throws: ReactorError.self) { try callHere(reactor) { ran.set() } }
        #expect(error?.code == .notRunning)
        #expect(!ran.isSet)
    }

    @Test func stopReleasesTheWaitingThreadAndTheWorkIsCancelled() async throws {
        let reactor = Reactor()
        let pool = ThreadPool(limit: 2)
        let cancelled = SharedCounter()
        let started = SharedCounter()
        let errors = SharedCounter()
        try await onOwnThread {
            try reactor.run(until: {
                try pool.submit {
                    do {
                        try reactor.blockingCallFromThread { () -> Deferred<Void> in
                            started.add()
                            return Deferred(onCancel: { _ in cancelled.add() })
                        }
                    } catch { if (error as? ReactorError)?.code == .notRunning { errors.add() } }
                }
                try pool.submit {
                    do {
                        try reactor.blockingCallFromThread {
                            started.add()
                            do { try await reactor.sleep(for: .seconds(3600)) } catch {
                                cancelled.add()
                                throw error
                            }
                        }
                    } catch { if (error as? ReactorError)?.code == .notRunning { errors.add() } }
                }
                while started.value < 2 { try await reactor.sleep(for: .milliseconds(1)) }
            })
        }
        // Both threads are free although the reactor stands still; their work hears of it when it runs again.
        let timeLimit = ContinuousClock.now + .seconds(20)
        while errors.value < 2, .now < timeLimit { try await Task.sleep(for: .milliseconds(1)) }
        #expect(errors.value == 2)
        try await onOwnThread {
            try reactor.run(until: {
                while cancelled.value < 2 { try await reactor.sleep(for: .milliseconds(1)) }
            })
        }
    }

    /// Threads that call while the reactor starts and stops: each call is answered or fails, none hangs.
    @Test func callsRaceWithRunAndStop() async throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let reactor = Reactor()
        let pool = ThreadPool(limit: 4)
        let isOver = SharedFlag()
        let wrong = SharedCounter()
        let answered = SharedCounter()
        for _ in 0..<4 {
            try pool.submit {
                while !isOver.isSet {
                    do {
                        let value = try reactor.blockingCallFromThread { 1 }
                        if value == 1 { answered.add() } else { wrong.add() }
                    } catch {
                        if (error as? ReactorError)?.code != .notRunning { wrong.add() }
                        usleep(50)
                    }
                }
            }
        }
        for _ in 0..<50 {
            let turns = Int.random(in: 0..<20, using: &generator)
            try await onOwnThread {
                try reactor.run(until: { for _ in 0..<turns { await reactor.yield() } })
            }
        }
        let before = answered.value
        try await onOwnThread {
            try reactor.run(until: {
                while answered.value < before + 10 { try await reactor.sleep(for: .milliseconds(1)) }
            })
        }
        isOver.set()
        try await withReactor { _ in try await pool.stopAndWait() }
        #expect(wrong.value == 0, "seed \(seed)")
    }
}

/// A synchronous frame: from `async` code the call does not compile.
private func callHere(_ reactor: Reactor, _ body: @escaping @Sendable () -> Void) throws {
    try reactor.blockingCallFromThread { body() }
}
