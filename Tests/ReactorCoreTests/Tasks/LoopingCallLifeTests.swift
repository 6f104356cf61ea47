import ReactorCore
import ReactorTesting
import Testing

/// What a loop waits for, how it ends, and how it begins anew.
@Suite struct LoopingCallLifeTests {
    private struct Broken: Error {}

    // MARK: Waiting and failing

    @Test func nextCallWaitsForTheDeferredOfTheLast() async throws {  // S47
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var calls = 0
            var loop: LoopingCall?
            loop = LoopingCall(reactor) { () -> Deferred<Void> in
                calls += 1
                return reactor.deferLater(.seconds(1)).addCallback { loop?.stop() }
            }
            let end = loop?.start(every: .milliseconds(200))
            await clock.advance(by: .milliseconds(200), on: reactor)
            #expect(calls == 1 && end?.isCalled == false)
            await clock.advance(by: .milliseconds(800), on: reactor)
            #expect(calls == 1 && end?.isCalled == true)
            #expect(reactor.delayedCallCount == 0)
        }
    }

    @Test func nextCallWaitsForAsyncWork() async throws {  // S47
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            var times: [Duration] = []
            var loop: LoopingCall?
            loop = LoopingCall(reactor) {
                times.append(reactor.elapsed)
                if times.count == 3 { loop?.stop() }
                try await reactor.sleep(for: .milliseconds(250))
            }
            try await loop?.start(every: .milliseconds(100)).value
            #expect(times == [0, 300, 600].map { Duration.milliseconds($0) })
        }
    }

    @Test func deferredOfACallKeepsItsValueForOthers() async throws {
        try await withReactor(clock: ManualClock()) { reactor in
            let answer = Deferred<Int>()
            var got = 0
            let loop = LoopingCall(reactor) { answer }
            loop.start(every: .seconds(1))
            loop.stop()
            try answer.callback(7)
            answer.addCallback { got = $0 }
            #expect(got == 7)
        }
    }

    @Test(arguments: [true, false])
    func errorEndsTheLoopThoughItWasStopped(stops: Bool) async throws {  // S47
        try await withReactor(clock: ManualClock()) { reactor in
            var loop: LoopingCall?
            loop = LoopingCall(reactor) {
                if stops { loop?.stop() }
                throw Broken()
            }
            let end = try #require(loop?.start(every: .milliseconds(100)))
            await #expect(throws: Broken.self) { try await end.value }
            #expect(loop?.isRunning == false)
        }
    }

    @Test func failureOfADeferredEndsTheLoop() async throws {  // S47
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var error: (any Error)?
            let loop = LoopingCall(reactor) { reactor.deferLater(.milliseconds(300)) { throw Broken() } }
            loop.start(every: .seconds(1)).addErrback { error = $0 }
            await clock.advance(by: .milliseconds(300), on: reactor)
            #expect(error is Broken)
            #expect(!loop.isRunning && reactor.delayedCallCount == 0)
        }
    }

    @Test func errorThatNobodyHandlesIsReportedWithThePlaceOfStart() async throws {
        let recorder = UnhandledErrorRecorder()
        let line = #line + 2
        try await withReactor(clock: ManualClock()) { reactor in
            _ = LoopingCall(reactor) { throw Broken() }.start(every: .seconds(1))
            #expect(recorder.errors(ofLine: line) == ["Broken()"])
        }
    }

    // MARK: Stop, reset, start again

    @Test(arguments: [0, 10])  // S48
    func stoppedBeforeTheFirstCallItMakesNone(seconds: Int) async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var count = 0
            let loop = LoopingCall(reactor) { count += 1 }
            let end = loop.start(every: .seconds(seconds), now: false)
            #expect(loop.isRunning)
            loop.stop()
            #expect(end.isCalled && !loop.isRunning)
            #expect(reactor.delayedCallCount == 0)
            loop.stop()
            await clock.advance(by: .seconds(20), on: reactor)
            #expect(count == 0)
        }
    }

    @Test func stoppedInACallItEndsWithThatCall() async throws {  // S48
        try await withReactor(clock: ManualClock()) { reactor in
            let work = Deferred<Void>()
            let loop = LoopingCall(reactor) { work }
            let end = loop.start(every: .seconds(1))
            loop.stop()
            #expect(!loop.isRunning && !end.isCalled)
            try work.callback(())
            #expect(end.isCalled)
            #expect(reactor.delayedCallCount == 0)
        }
    }

    @Test func resetBeginsTheIntervalAnew() async throws {  // S48
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var times: [Duration] = []
            let loop = LoopingCall(reactor) { times.append(reactor.elapsed) }
            loop.start(every: .seconds(2), now: false)
            await clock.advance(by: .seconds(1), on: reactor)
            loop.reset()
            await clock.advance(by: .seconds(1), on: reactor)
            #expect(times.isEmpty)
            for _ in 0..<3 { await clock.advance(by: .seconds(1), on: reactor) }
            #expect(times == [.seconds(3), .seconds(5)])
            loop.stop()
        }
    }

    @Test func resetWithoutACallToComeChangesNothing() async throws {
        try await withReactor(clock: ManualClock()) { reactor in
            let work = Deferred<Void>()
            let loop = LoopingCall(reactor) { work }
            loop.reset()
            loop.start(every: .seconds(1))
            loop.reset()
            #expect(reactor.delayedCallCount == 0)
            loop.stop()
            try work.callback(())
        }
    }

    @Test func loopThatEndedStartsAgain() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var counts: [Int] = []
            let loop = LoopingCall.withCount(reactor) { counts.append($0) }
            var ends = 0
            loop.start(every: .seconds(1)).addCallback { _ in
                ends += 1
                loop.start(every: .seconds(2), now: false).addCallback { _ in ends += 1 }
            }
            await clock.advance(by: .seconds(1), on: reactor)
            loop.stop()
            #expect(loop.isRunning && ends == 1)
            await clock.advance(by: .seconds(2), on: reactor)
            loop.stop()
            #expect(ends == 2)
            #expect(counts == [1, 1, 1])
        }
    }

    @Test func loopIsHeldWhileItRunsAndNoLonger() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            weak var loop: LoopingCall?
            var count = 0
            @ReactorActor func start() -> Deferred<Void> {
                let made = LoopingCall(reactor) { count += 1 }
                loop = made
                return made.start(every: .seconds(1))
            }
            let end = start()
            await clock.advance(by: .seconds(1), on: reactor)
            #expect(count == 2)
            loop?.stop()
            #expect(end.isCalled && loop == nil)
        }
    }

    @Test func cancellingTheEndStopsTheLoop() async throws {
        try await withReactor(clock: ManualClock()) { reactor in
            var error: (any Error)?
            let loop = LoopingCall(reactor) {}
            let end = loop.start(every: .seconds(1))
            end.addErrback { error = $0 }
            end.cancel()
            #expect((error as? DeferredError)?.code == .cancelled)
            #expect(!loop.isRunning && reactor.delayedCallCount == 0)
        }
    }

    @Test func cancellingTheEndCancelsTheCallUnderWayAndWaitsForIt() async throws {
        try await withReactor(clock: ManualClock()) { reactor async throws in
            var hasCleanedUp = false
            let loop = LoopingCall(reactor) {
                defer { hasCleanedUp = true }
                try await reactor.sleep(for: .seconds(60))
            }
            let end = loop.start(every: .seconds(1))
            while reactor.delayedCallCount == 0 { await reactor.yield() }
            end.cancel()
            #expect(!end.isCalled)
            await #expect(throws: CancellationError.self) { try await end.value }
            #expect(hasCleanedUp && reactor.delayedCallCount == 0)
        }
    }

    @Test func callThatCancelsTheEndHasItsOwnWorkCancelled() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var wasCancelled = false
            var error: (any Error)?
            var end: Deferred<Void>?
            let loop = LoopingCall(reactor) { () -> Deferred<Void> in
                end?.cancel()
                return Deferred(onCancel: { _ in wasCancelled = true })
            }
            end = loop.start(every: .seconds(1), now: false)
            end?.addErrback { error = $0 }
            await clock.advance(by: .seconds(1), on: reactor)
            #expect(wasCancelled && !loop.isRunning)
            #expect((error as? DeferredError)?.code == .cancelled)
        }
    }

    private enum Context { @TaskLocal static var name = "none" }

    @Test func valuesBoundAtStartAreBoundInEachCall() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var names: [String] = []
            let loop = LoopingCall(reactor) { names.append(Context.name) }
            _ = Context.$name.withValue("start") { loop.start(every: .seconds(1)) }
            await clock.advance(by: .seconds(1), on: reactor)
            Context.$name.withValue("reset") { loop.reset() }
            for _ in 0..<2 { await clock.advance(by: .seconds(1), on: reactor) }
            #expect(names == Array(repeating: "start", count: 4))
            loop.stop()
        }
    }
}

extension Reactor {
    @ReactorActor fileprivate var elapsed: Duration {
        ReactorInstant(nanoseconds: 0).duration(to: now)
    }
}

private struct Call: Equatable {
    let time: Duration
    let count: Int
    init(_ time: Duration, _ count: Int) { (self.time, self.count) = (time, count) }
}
