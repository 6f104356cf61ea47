import ReactorTesting
import Testing

@testable import ReactorCore

@Suite(.everyBackend) struct TimeTests {
    @Test func equalDeadlinesRunInTheOrderTheyWereMade() async throws {  // S37
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { reactor in
            var log: [Int] = []
            reactor.callLater(.seconds(2)) { log.append(3) }
            for number in 0..<3 { reactor.callLater(.seconds(1)) { log.append(number) } }
            try await reactor.sleep(for: .seconds(3))
            #expect(log == [0, 1, 2, 3])
        }
    }

    @Test func hourOfTimersPassesInMilliseconds() async throws {
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { reactor in
            var count = 0
            for minute in 1...60 { reactor.callLater(.seconds(60 * minute)) { count += 1 } }
            try await reactor.sleep(for: .seconds(3600))
            #expect(count == 60)
            #expect(reactor.now == ReactorInstant(nanoseconds: 3_600_000_000_000))
        }
    }

    @Test func nothingHappensUntilTheManualClockMoves() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var fired = false
            let call = reactor.callLater(.seconds(10)) { fired = true }
            clock.advance(by: .seconds(9))
            for _ in 0..<10 { await reactor.yield() }
            #expect(!fired && call.isActive)
            clock.advance(by: .seconds(1))
            while !fired { await reactor.yield() }
            #expect(!call.isActive)
        }
    }

    @Test func cancelledCallNeverRunsAndCancellingTwiceIsAnError() async throws {
        try await withReactor { reactor in
            var fired = false
            let call = reactor.callLater(.milliseconds(1)) { fired = true }
            try call.cancel()
            try await reactor.sleep(for: .milliseconds(3))
            #expect(!fired)
            let error = #expect(throws: ReactorError.self) { try call.cancel() }
            #expect(error?.code == .timerAlreadyCancelled)
        }
    }

    @Test func cancelFromInsideItselfSaysAlreadyFired() async throws {  // S37
        try await withReactor { reactor in
            var error: (any Error)?
            var call: DelayedCall?
            call = reactor.callLater(.zero) { do { try call?.cancel() } catch let thrown { error = thrown } }
            try await reactor.sleep(for: .milliseconds(1))
            #expect((error as? ReactorError)?.code == .timerAlreadyFired)
        }
    }

    /// Twisted's is 2¹²⁸ s; the longest `Duration` is some 2⁶⁷ s, and both lie past the clock's 292 years.
    @Test(arguments: [Duration.seconds(Int64.max), Duration(attoseconds: .max), .seconds(292 * 365 * 86_400)])
    func distantTimerDoesNotDisturbTheLoop(_ delay: Duration) async throws {  // S38
        try await withReactor { reactor in
            let call = reactor.callLater(delay) {}
            var ran = false
            reactor.callLater(.milliseconds(1)) { ran = true }
            let turns = reactor.turnCount
            try await reactor.sleep(for: .milliseconds(5))
            #expect(ran && call.isActive)
            #expect(reactor.turnCount - turns < 50, "it does not spin")
            try call.delay(by: delay)
            #expect(call.deadline == .distantFuture)
            try call.reset(after: .seconds(1))
            #expect(call.deadline < .distantFuture)
            call.cancelIfActive()
        }
    }

    @Test(
        arguments: [
            (Duration.zero, 0), (.nanoseconds(1), 1), (Duration(attoseconds: 1), 1),
            (Duration(attoseconds: -1), 0), (Duration(attoseconds: 1_000_000_001), 2),
            (.nanoseconds(-7), -7), (Duration(attoseconds: -1_999_999_999), -1),
            (.seconds(60), 60_000_000_000),
            (.nanoseconds(Int64.max), .max), (.nanoseconds(Int64.max) + .nanoseconds(1), .max),
            (.nanoseconds(Int64.min), .min), (.nanoseconds(Int64.min) - .nanoseconds(1), .min),
            (.seconds(20_000_000_000), .max), (Duration(attoseconds: .max), .max),
            (Duration(attoseconds: .min), .min),
        ] as [(Duration, Int64)])
    func nanosecondsAreRoundedUpAndClamped(_ duration: Duration, _ nanoseconds: Int64) {
        #expect(duration.wholeNanoseconds == nanoseconds)
    }

    @Test func cancelledCallsLeaveTheQueue() async throws {
        try await withReactor { reactor in
            let calls = (0..<10_000).map { _ in reactor.callLater(.seconds(100)) {} }
            #expect(reactor.delayedCallCount == 10_000)
            for call in calls { call.cancelIfActive() }
            #expect(reactor.delayedCallCount == 0)
        }
    }

    @Test func cancelledSleepEndsAtOnceAndLeavesNoTimer() async throws {
        try await withReactor { reactor in
            let task = Task { @ReactorActor in try await reactor.sleep(for: .seconds(60)) }
            while reactor.delayedCallCount == 0 { await reactor.yield() }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(reactor.delayedCallCount == 0)
        }
    }

    @Test func timerThatRearmsItselfAtOnceLetsTheRestRun() async throws {
        try await withReactor { reactor in
            var rounds = 0
            @ReactorActor func rearm() {
                rounds += 1
                if rounds < 1_000 { reactor.callLater(.zero) { rearm() } }
            }
            rearm()
            while rounds < 1_000 { try await reactor.sleep(for: .zero) }
        }
    }

    @Test func manualClockMovedPastTheDeadlineDoesNotSleep() {
        let clock = ManualClock()
        clock.advance(by: .seconds(2))
        #expect(clock.idle(until: ReactorInstant(nanoseconds: 1_000_000_000)) == .zero)
        #expect(clock.idle(until: ReactorInstant(nanoseconds: 3_000_000_000)) == nil)
    }

    @Test func taskLocalValuesBoundAtCallLaterAreVisibleInTheCall() async throws {
        try await withReactor { reactor in
            var seen: [String] = []
            Context.$name.withValue("outer") {
                reactor.callLater(.zero) {
                    seen.append(Context.name)
                    // And what is made there inherits them, a task too.
                    reactor.callLater(.zero) { seen.append("nested \(Context.name)") }
                    _ = reactor.startTask { seen.append("task \(Context.name)") }
                }
                reactor.callLater(.seconds(60)) { seen.append("never") }.cancelIfActive()
                reactor.callFromThread { seen.append("call \(Context.name)") }
                reactor.addSystemEventTrigger(.during, .custom("event")) {
                    await reactor.yield()
                    seen.append("trigger \(Context.name)")
                }
            }
            reactor.callLater(.zero) {
                seen.append("none \(Context.name)")
                reactor.fireSystemEvent(.custom("event"))
            }
            while seen.count < 6 { try await reactor.sleep(for: .milliseconds(1)) }
            #expect(
                seen.sorted() == [
                    "call outer", "nested outer", "none nobody", "outer", "task outer", "trigger outer",
                ])
        }
    }

    @Test func errorOfACallWithTaskLocalValuesIsReported() async throws {  // S36
        struct Spam: Error {}
        try await withReactor { reactor in
            var log: [String] = []
            let report = reactor.onUncaughtError
            reactor.onUncaughtError = { error, _ in log.append("\(error) \(Context.name)") }
            defer { reactor.onUncaughtError = report }
            Context.$name.withValue("somebody") { _ = reactor.callLater(.zero) { throw Spam() } }
            try await reactor.sleep(for: .milliseconds(1))
            #expect(log == ["Spam() nobody"])
        }
    }
}

private enum Context {
    @TaskLocal static var name = "nobody"
}
