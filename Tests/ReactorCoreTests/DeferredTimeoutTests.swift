import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct DeferredTimeoutTests {
    typealias Spam = DeferredTests.Spam

    private func withTime(
        _ body: @escaping @Sendable @ReactorActor (Reactor, ManualClock) async throws -> Void
    ) async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in try await body(reactor, clock) }
    }

    @Test func unfiredDeferredTimesOut() async throws {  // S22
        try await withTime { reactor, clock in
            var got: (any Error)?
            let deferred = Deferred<Int>(file: "Here/Made.swift", line: 1)
                .addTimeout(.seconds(10), file: "Here/Limit.swift", line: 2)
            deferred.addErrback {
                got = $0
                return 0
            }
            clock.advance(by: .seconds(9))
            await settle(reactor)
            #expect(got == nil && reactor.delayedCallCount == 1)
            clock.advance(by: .seconds(6))
            await settle(reactor)
            let error = try #require(got as? DeferredError)
            #expect(error.code == .timedOut && error.isTimeout)
            #expect(
                error.message.contains("Here/Made.swift:1") && error.message.contains("Here/Limit.swift:2"))
            #expect(error.message.contains("10"))
        }
    }

    @Test(arguments: [true, false])  // S22
    func outcomeInTimeTakesTheTimerAway(_ isValue: Bool) async throws {
        try await withTime { reactor, clock in
            var isCancelled = false
            let deferred = Deferred<Int>(onCancel: { _ in isCancelled = true })
            deferred.addTimeout(.seconds(10))
            #expect(reactor.delayedCallCount == 1)
            if isValue { try deferred.callback(3) } else { try deferred.errback(Spam()) }
            #expect(reactor.delayedCallCount == 0)
            clock.advance(by: .seconds(15))
            await settle(reactor)
            #expect(!isCancelled)
            let isKept = deferred.addErrback { $0 is Spam ? 3 : 0 }.outcome
            #expect(isKept == 3)
        }
    }

    @Test func deferredChainedLaterMayTakeItsTime() async throws {  // S22
        try await withTime { reactor, clock in
            let slow = Deferred<Int>(onCancel: { _ in Issue.record("it had all the time in the world") })
            var got = 0
            let deferred = Deferred<Int>()
            deferred.addTimeout(.seconds(10)).addCallback { _ in slow }.addCallback { got = $0 }
            try deferred.callback(1)
            clock.advance(by: .seconds(15))
            await settle(reactor)
            try slow.callback(2)
            #expect(got == 2)
        }
    }

    @Test func timeOutCancelsWhatACallbackAddedBeforeWaitsFor() async throws {  // S22
        try await withTime { reactor, clock in
            var log: [String] = []
            let deferred = Deferred.succeed(1)
                .addCallback { _ in Deferred<Int>(onCancel: { _ in log.append("inner cancelled") }) }
                .addTimeout(.seconds(10))
                .addErrback {
                    log.append("\(($0 as? DeferredError)?.isTimeout == true)")
                    return 0
                }
            clock.advance(by: .seconds(10))
            await settle(reactor)
            #expect(log == ["inner cancelled", "true"] && !deferred.isPaused)
        }
    }

    @Test func errbackAddedBeforeSeesTheCancellationAndOneAddedAfterTheTimeOut() async throws {  // S23
        try await withTime { reactor, clock in
            var codes: [DeferredError.Code?] = []
            Deferred<Int>().addErrback {
                codes.append(($0 as? DeferredError)?.code)
                throw $0
            }
            .addTimeout(.seconds(10))
            .addErrback {
                codes.append(($0 as? DeferredError)?.code)
                return 0
            }
            clock.advance(by: .seconds(15))
            await settle(reactor)
            #expect(codes == [.cancelled, .timedOut])
        }
    }

    @Test func errbackAddedBeforeMayRecover() async throws {  // S23
        try await withTime { reactor, clock in
            let deferred = Deferred<Int>().addErrback { _ in 7 }.addTimeout(.seconds(10))
            clock.advance(by: .seconds(15))
            await settle(reactor)
            #expect(deferred.outcome == 7)
        }
    }

    @Test func valueOfTheCancellerWins() async throws {  // S23
        try await withTime { reactor, clock in
            let deferred = Deferred<Int>(onCancel: { try? $0.callback(23) }).addTimeout(.seconds(10))
            clock.advance(by: .seconds(15))
            await settle(reactor)
            #expect(deferred.outcome == 23)
        }
    }

    @Test func errorOfTheCancellerWins() async throws {  // S23
        try await withTime { reactor, clock in
            let deferred = Deferred<Int>(onCancel: { try? $0.errback(Spam(number: 23)) }).addTimeout(
                .seconds(10))
            clock.advance(by: .seconds(15))
            await settle(reactor)
            let got = deferred.addErrback { ($0 as? Spam)?.number ?? 0 }.outcome
            #expect(got == 23)
        }
    }

    @Test func onTimeoutMakesTheOutcome() async throws {  // S23
        try await withTime { reactor, clock in
            var given: [String] = []
            let deferred = Deferred<Int>().addTimeout(
                .seconds(10),
                onTimeout: { result, limit in
                    if case .failure(let error) = result {
                        given.append("\(DeferredError.isCancellation(error))")
                    }
                    given.append("\(limit)")
                    return 42
                })
            let failing = Deferred<Int>().addTimeout(
                .seconds(10), onTimeout: { _, _ in throw Spam(number: 1) })
            clock.advance(by: .seconds(15))
            await settle(reactor)
            #expect(deferred.outcome == 42)
            #expect(given == ["true", "\(Duration.seconds(10))"])
            #expect(throws: Spam(number: 1)) { try failing.result()?.get() }
            failing.addErrback { _ in 0 }
        }
    }

    @Test func onTimeoutIsNotAskedInTime() async throws {  // S23
        try await withTime { _, _ in
            let deferred = Deferred<Int>()
            deferred.addTimeout(
                .seconds(10),
                onTimeout: { _, _ in
                    Issue.record("there was time")
                    return 0
                })
            try deferred.callback(1)
            #expect(deferred.outcome == 1)
        }
    }

    @Test func cancellationByHandStaysACancellation() async throws {
        try await withTime { reactor, _ in
            let deferred = Deferred<Int>().addTimeout(.seconds(10))
            deferred.cancel()
            #expect(reactor.delayedCallCount == 0)
            let code = deferred.addErrback { ($0 as? DeferredError)?.code == .cancelled ? 1 : 2 }.outcome
            #expect(code == 1)
        }
    }

    @Test func twoLimitsTheShorterOneCounts() async throws {
        try await withTime { reactor, clock in
            let deferred = Deferred<Int>().addTimeout(.seconds(5)).addTimeout(.seconds(1))
            clock.advance(by: .seconds(1))
            await settle(reactor)
            #expect(reactor.delayedCallCount == 0)
            let message = deferred.addErrback { "\($0)".contains("1.0") ? 1 : 0 }.outcome
            #expect(message == 1)
        }
    }

    @Test func zeroTimesOutInAComingTurn() async throws {
        try await withTime { reactor, _ in
            let deferred = Deferred<Int>().addTimeout(.zero)
            #expect(!deferred.isCalled)
            await settle(reactor)
            let isTimeout = deferred.addErrback { ($0 as? DeferredError)?.isTimeout == true ? 1 : 0 }.outcome
            #expect(isTimeout == 1)
        }
    }

    @Test func timedOutTaskThrowsTheTimeOut() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let deferred = Deferred<Int>().addTimeout(.seconds(10))
            let error = await #expect(throws: DeferredError.self) { try await deferred.value }
            #expect(error?.code == .timedOut)
        }
    }

    @Test func nothingIsLeftAfterTheTimeOutOrWithoutIt() async throws {
        let lives = Life.Count()
        try await withTime { reactor, clock in
            @ReactorActor func make() -> Deferred<Int> {
                let life = Life(lives)
                return Deferred<Int>(onCancel: { _ in life.keep() })
                    .addCallback {
                        life.keep()
                        return $0
                    }
                    .addTimeout(
                        .seconds(10),
                        onTimeout: { _, _ in
                            life.keep()
                            return 0
                        })
            }
            try make().callback(1)
            make().addErrback { _ in 0 }.cancel()
            _ = make()  // times out by itself
            let paused = LastReference(make())
            paused.deferred?.pause()
            try paused.deferred?.callback(1)
            #expect(lives.now == 2)
            clock.advance(by: .seconds(10))
            await settle(reactor)
            #expect(lives.now == 1)
            paused.deferred = nil
            #expect(lives.now == 0)
        }
    }

    @Test func negativeLimitTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                _ = Deferred<Int>().addTimeout(.seconds(-1))
            }
        }
        #expect(exit.said("a time-out cannot be negative"))
    }
}

/// Lets a reactor run what is ready and what is due.
@ReactorActor func settle(_ reactor: Reactor) async {
    for _ in 0..<3 {
        await withUnsafeContinuation { continuation in reactor.callFromThread { continuation.resume() } }
    }
}
