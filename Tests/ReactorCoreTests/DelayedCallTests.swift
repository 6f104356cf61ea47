import ReactorTesting
import Testing

@testable import ReactorCore

@Suite(.everyBackend) struct DelayedCallTests {
    @Test func resetCountsFromNowAndDelayFromTheDueTime() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            let call = reactor.callLater(.seconds(10)) {}
            clock.advance(by: .seconds(4))
            try call.delay(by: .seconds(5))
            #expect(call.deadline == ReactorInstant(nanoseconds: 15_000_000_000))
            try call.reset(after: .seconds(5))
            #expect(call.deadline == ReactorInstant(nanoseconds: 9_000_000_000))
            try call.delay(by: .seconds(-2))
            #expect(call.deadline == ReactorInstant(nanoseconds: 7_000_000_000))
            #expect(call.isActive)
            try call.cancel()
        }
    }

    @Test func callMovedIntoThePastRunsInAComingTurn() async throws {
        try await withReactor { reactor in
            var ran = false
            let call = reactor.callLater(.seconds(60)) { ran = true }
            try call.delay(by: .seconds(-120))
            #expect(!ran)
            try await reactor.sleep(for: .milliseconds(1))
            #expect(ran && !call.isActive)
        }
    }

    @Test func movedCallRunsOnceAtItsNewTime() async throws {
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { reactor in
            var log: [String] = []
            let first = reactor.callLater(.seconds(1)) { log.append("first") }
            reactor.callLater(.seconds(2)) { log.append("second") }
            try first.reset(after: .seconds(3))
            try await reactor.sleep(for: .seconds(10))
            #expect(log == ["second", "first"])
        }
    }

    /// Twisted's test_callLaterResetInsideCallKeepsCallsOrdered, and ties besides.
    @Test func callResetInsideAnotherKeepsTheOrder() async throws {  // S37
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { reactor in
            var log: [String] = []
            let b = reactor.callLater(.seconds(2)) { log.append("b") }
            reactor.callLater(.seconds(1)) {
                log.append("a")
                try b.reset(after: .seconds(3))  // due at 4, where d is due already
            }
            reactor.callLater(.seconds(3)) { log.append("c") }
            reactor.callLater(.seconds(4)) { log.append("d") }
            reactor.callLater(.seconds(5)) { log.append("e") }
            try await reactor.sleep(for: .seconds(6))
            #expect(log == ["a", "c", "d", "b", "e"])
        }
    }

    @Test func callResetToNowInsideAnotherWaitsForTheNextTurn() async throws {  // S37
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { reactor in
            var log: [String] = []
            var turns: [UInt64] = []
            let late = reactor.callLater(.seconds(9)) {
                log.append("late")
                turns.append(reactor.turnCount)
            }
            reactor.callLater(.seconds(1)) {
                log.append("first")
                turns.append(reactor.turnCount)
                try late.reset(after: .zero)
            }
            reactor.callLater(.seconds(1)) { log.append("second") }
            try await reactor.sleep(for: .seconds(2))
            #expect(log == ["first", "second", "late"])
            #expect(turns[1] > turns[0])
        }
    }

    @Test(arguments: ["cancel", "reset", "delay"])
    func whatIsOverCannotBeCancelledOrMoved(_ verb: String) async throws {
        try await withReactor { reactor in
            @ReactorActor func apply(_ call: DelayedCall) throws {
                switch verb {
                case "cancel": try call.cancel()
                case "reset": try call.reset(after: .seconds(1))
                default: try call.delay(by: .seconds(1))
                }
            }
            let line: UInt = #line + 1
            let fired = reactor.callLater(.zero) {}
            let cancelled = reactor.callLater(.zero) {}
            try cancelled.cancel()
            let second = #expect(throws: ReactorError.self) { try apply(cancelled) }
            #expect(second?.code == .timerAlreadyCancelled)
            try await reactor.sleep(for: .milliseconds(1))
            let first = #expect(throws: ReactorError.self) { try apply(fired) }
            #expect(first?.code == .timerAlreadyFired)
            #expect(first?.message.contains("DelayedCallTests.swift:\(line)") == true)
            #expect(reactor.delayedCallCount == 0)
        }
    }

    @Test func movingACallFromInsideItselfSaysAlreadyFired() async throws {  // S37
        try await withReactor { reactor in
            var codes: [ReactorError.Code] = []
            var call: DelayedCall?
            call = reactor.callLater(.zero) {
                do { try call?.reset(after: .zero) } catch let error as ReactorError {
                    codes.append(error.code)
                }
                do { try call?.delay(by: .zero) } catch let error as ReactorError { codes.append(error.code) }
            }
            try await reactor.sleep(for: .milliseconds(1))
            #expect(codes == [.timerAlreadyFired, .timerAlreadyFired])
        }
    }

    @Test func callSaysWhereItWasMade() async throws {
        try await withReactor { reactor in
            let line: UInt = #line + 1
            let call = reactor.callLater(.seconds(1)) {}
            let text = "the delayed call made at ReactorCoreTests/DelayedCallTests.swift:\(line)"
            #expect(call.description == text)
            try call.cancel()
        }
    }

    @Test func cancelReleasesWhatTheCallHeld() async throws {
        try await withReactor { reactor in
            weak var watched: Token?
            let call: DelayedCall
            do {
                let token = Token()
                watched = token
                call = reactor.callLater(.seconds(60)) { withExtendedLifetime(token) {} }
            }
            #expect(watched != nil)
            try call.cancel()
            #expect(watched == nil)
            #expect(!call.isActive)
        }
    }

    /// What a call holds may use the queue as it ends: the queue is whole by then.
    @Test func objectReleasedWithItsCallMayUseTheQueue() async throws {
        try await withReactor { reactor in
            var ended = 0
            for round in 0..<3 {
                let victim = Ender { reactor.callLater(.zero) { ended += 1 } }
                let call = reactor.callLater(.milliseconds(round)) { withExtendedLifetime(victim) {} }
                if round == 0 { call.cancelIfActive() }
            }
            while ended < 3 { try await reactor.sleep(for: .milliseconds(1)) }
        }
    }

    @Test func callThatOutlivesItsReactorIsOver() async throws {
        let kept = Kept()
        // Detached: task-local values, the test's own among them, would be kept with the call, and the
        // reactor with them.
        try await Task.detached {
            let reactor = Reactor()
            try reactor.run(until: { kept.call = reactor.callLater(.seconds(60)) {} })
        }.value
        try Reactor().run(until: {
            #expect(kept.call?.isActive == false)
            kept.call?.cancelIfActive()
            let error = #expect(throws: ReactorError.self) { try kept.call?.reset(after: .zero) }
            #expect(error?.code == .timerAlreadyCancelled)
        })
    }

    @Test func negativeDelaysTrap() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { reactor in _ = reactor.callLater(.seconds(-1)) {} }
        }
        #expect(said(exit, "callLater(-1.0 seconds) at"))
        let second = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { reactor in
                try reactor.callLater(.seconds(1)) {}.reset(after: .nanoseconds(-1))
            }
        }
        #expect(said(second, "a delay cannot be negative"))
    }

    private func said(_ exit: ExitTest.Result?, _ words: String) -> Bool {
        String(decoding: exit?.standardErrorContent ?? [], as: UTF8.self).contains(words)
    }
}

private final class Token: Sendable {}
@ReactorActor private final class Kept { var call: DelayedCall?; nonisolated init() {} }

/// Does something as it ends.
@ReactorActor private final class Ender {
    private let body: @ReactorActor () -> Void
    init(_ body: @escaping @ReactorActor () -> Void) { self.body = body }
    isolated deinit { body() }
}
