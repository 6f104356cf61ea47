import ReactorCore
import ReactorTesting
import Testing

@Suite struct TimeTests {
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

    @Test func distantTimerDoesNotDisturbTheLoop() async throws {  // S38
        try await withReactor { reactor in
            let call = reactor.callLater(.seconds(Int64.max)) {}
            try await reactor.sleep(for: .milliseconds(1))
            #expect(call.isActive)
            call.cancelIfActive()
        }
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

    /// Against a model: a list sorted by deadline and order of making.
    @Test func randomTimersRunAsAModelSays() async throws {
        let seed = UInt64.random(in: .min ... .max)
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { reactor in
            var generator = SeededGenerator(seed: seed)
            var log: [Int] = []
            var calls: [(id: Int, deadline: ReactorInstant, call: DelayedCall)] = []
            for id in 0..<5_000 {
                let delay = Duration.seconds(Int.random(in: 0..<3_600, using: &generator))
                let call = reactor.callLater(delay) { log.append(id) }
                calls.append((id, call.deadline, call))
                if Int.random(in: 0..<3, using: &generator) > 0 {
                    calls.randomElement(using: &generator)?.call.cancelIfActive()
                }
            }
            let alive = calls.filter { $0.call.isActive }
            #expect(reactor.delayedCallCount == alive.count, "seed \(seed)")
            // One more cancels others from inside the loop, half an hour on.
            let noon = reactor.now.advanced(by: .seconds(1_800))
            let victims = alive.filter { $0.deadline > noon && $0.id % 2 == 0 }
            reactor.callLater(.seconds(1_800)) { for victim in victims { victim.call.cancelIfActive() } }
            try await reactor.sleep(for: .seconds(3_600))
            let dead = Set(victims.map(\.id))
            let expected = alive.filter { !dead.contains($0.id) }
                .sorted { ($0.deadline, $0.id) < ($1.deadline, $1.id) }.map(\.id)
            #expect(log == expected, "seed \(seed)")
            #expect(reactor.delayedCallCount == 0)
        }
    }
}
