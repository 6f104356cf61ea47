import ReactorCore
import ReactorTesting
import Testing

@Suite struct LoopingCallTests {
    // MARK: When calls are made

    @Test(arguments: [(true, 3), (false, 2)])  // S44
    func callsInAQuarterOfASecondAtTenASecond(now: Bool, expected: Int) async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var count = 0
            let loop = LoopingCall(reactor) { count += 1 }
            let end = loop.start(every: .milliseconds(100), now: now)
            for step in [50, 100, 100] { await clock.advance(by: .milliseconds(step), on: reactor) }
            #expect(count == expected)
            #expect(!end.isCalled)
            loop.stop()
            #expect(end.isCalled)
            #expect(reactor.delayedCallCount == 0)
        }
    }

    @Test func instantsThatPassDuringACallAreSkipped() async throws {  // S45
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var times: [Duration] = []
            let callsTake = [2, 1, 0]
            let loop = LoopingCall(reactor) {
                times.append(reactor.elapsed)
                clock.advance(by: .seconds(callsTake[times.count - 1]))
            }
            loop.start(every: .milliseconds(500))
            #expect(times == [.zero])
            await clock.advance(by: .zero, on: reactor)
            #expect(times == [.zero])
            await clock.advance(by: .milliseconds(500), on: reactor)
            #expect(times == [.zero, .seconds(2.5)])
            #expect(reactor.elapsed == .seconds(3.5))
            await clock.advance(by: .milliseconds(500), on: reactor)
            #expect(times == [.zero, .seconds(2.5), .seconds(4)])
            loop.stop()
        }
    }

    @Test func instantsThatTheReactorMissesAreSkipped() async throws {  // S45
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var times: [Duration] = []
            let loop = LoopingCall(reactor) { times.append(reactor.elapsed) }
            loop.start(every: .milliseconds(500))
            for step in [2, 1, 0] { await clock.advance(by: .seconds(step), on: reactor) }
            #expect(times == [.zero, .seconds(2), .seconds(3)])
            loop.stop()
        }
    }

    @Test func latenessOfOneCallDoesNotMoveTheOthers() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            let loop = LoopingCall(reactor) {}
            loop.start(every: .milliseconds(100), now: false)
            for late in [3, 40, 99, 7] {
                let due = try #require(reactor.delayedCalls.first).deadline
                #expect(due.nanoseconds % 100_000_000 == 0)
                await clock.advance(by: reactor.now.duration(to: due) + .milliseconds(late), on: reactor)
            }
            loop.stop()
        }
    }

    @Test func intervalZeroCallsInEachTurn() async throws {
        try await withReactor(clock: ManualClock()) { reactor in
            var turns: [UInt64] = []
            var loop: LoopingCall?
            loop = LoopingCall(reactor) {
                turns.append(reactor.turnCount)
                if turns.count > 5 { loop?.stop() }
            }
            try await loop?.start(every: .zero, now: false).value
            #expect(turns.count == 6)
            #expect(turns == (turns[0]..<turns[0] + 6).map { $0 })
        }
    }

    // MARK: Counting

    @Test func countSaysHowManyIntervalsHavePassed() async throws {  // S46
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var calls: [Call] = []
            let loop = LoopingCall.withCount(reactor) { calls.append(Call(reactor.elapsed, $0)) }
            loop.start(every: .milliseconds(500))
            await clock.advance(by: .milliseconds(510), on: reactor)
            await clock.advance(by: .milliseconds(1510), on: reactor)
            await clock.advance(by: .zero, on: reactor)
            #expect(calls == [Call(.zero, 1), Call(.milliseconds(510), 1), Call(.milliseconds(2020), 3)])
            loop.stop()
        }
    }

    @Test func intervalAndThreeQuartersCountAsOne() async throws {  // S46
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var calls: [Call] = []
            let loop = LoopingCall.withCount(reactor) { calls.append(Call(reactor.elapsed, $0)) }
            loop.start(every: .milliseconds(500))
            for step in [510, 875, 125] { await clock.advance(by: .milliseconds(step), on: reactor) }
            #expect(calls.map(\.count) == [1, 1, 1, 1])
            #expect(calls.map(\.time) == [0, 510, 1385, 1510].map { Duration.milliseconds($0) })
            loop.stop()
        }
    }

    @Test(arguments: [3, 7, 10, 13])  // S46
    func countsOfAnUnevenIntervalAddUpAndNoneIsZero(count: Int) async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var counts: [Int] = []
            let loop = LoopingCall.withCount(reactor) { counts.append($0) }
            let interval = Duration.seconds(1) / count
            loop.start(every: interval, now: false)
            for _ in 0..<count { await clock.advance(by: interval, on: reactor) }
            #expect(counts == Array(repeating: 1, count: count))
            loop.stop()
        }
    }

    @Test func callThatWaitedForADeferredIsCountedWithThoseItMissed() async throws {  // S46
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var counts: [Int] = []
            let first = Deferred<Void>()
            let loop = LoopingCall.withCount(reactor) { count -> Deferred<Void>? in
                counts.append(count)
                return counts.count == 1 ? first : nil
            }
            loop.start(every: .milliseconds(200), now: false)
            for step in [200, 400] { await clock.advance(by: .milliseconds(step), on: reactor) }
            #expect(counts == [1])
            try first.callback(())
            await clock.advance(by: .milliseconds(200), on: reactor)
            #expect(counts == [1, 3])
            loop.stop()
        }
    }

    @Test func intervalZeroAlwaysCountsOne() async throws {  // S46
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var counts: [Int] = []
            let second = Deferred<Void>()
            var loop: LoopingCall?
            loop = LoopingCall.withCount(reactor) { count -> Deferred<Void>? in
                counts.append(count)
                if counts.count > 4 { loop?.stop() }
                return counts.count == 2 ? second : nil
            }
            let end = loop?.start(every: .zero, now: false)
            await clock.advance(by: .zero, on: reactor)
            await clock.advance(by: .seconds(2), on: reactor)
            #expect(counts == [1, 1])
            try second.callback(())
            try await end?.value
            #expect(counts == [1, 1, 1, 1, 1])
        }
    }

    @Test func intervalSetMeanwhileCountsFromTheLastCall() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var counts: [Int] = []
            let second = Deferred<Void>()
            let loop = LoopingCall.withCount(reactor) { count -> Deferred<Void>? in
                counts.append(count)
                return counts.count == 2 ? second : nil
            }
            loop.start(every: .zero, now: false)
            await clock.advance(by: .seconds(10), on: reactor)
            #expect(counts == [1, 1])
            loop.interval = .seconds(2)
            try second.callback(())
            for step in [7, 2, 4] { await clock.advance(by: .seconds(step), on: reactor) }
            #expect(counts == [1, 1, 3, 1, 2])
            loop.stop()
        }
    }

    // MARK: Callers' mistakes

    @Test func negativeIntervalIsACallersMistake() async {  // S48
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { reactor in _ = LoopingCall(reactor) {}.start(every: .seconds(-1)) }
        }
        #expect(said(exit, "start(every: -1.0 seconds) at"))
    }

    @Test func startingTwiceIsACallersMistake() async {  // S48
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { reactor in
                let loop = LoopingCall(reactor) {}
                loop.start(every: .seconds(1))
                loop.start(every: .seconds(1))
            }
        }
        #expect(said(exit, "stop() it first"))
    }

    @Test func startingBeforeTheLastCallHasEndedIsACallersMistake() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { reactor in
                let work = Deferred<Void>()
                let loop = LoopingCall(reactor) { work }
                loop.start(every: .seconds(1))
                loop.stop()
                loop.start(every: .seconds(1))
            }
        }
        #expect(said(exit, "wait for the Deferred of the start at"))
    }

    private func said(_ exit: ExitTest.Result?, _ words: String) -> Bool {
        String(decoding: exit?.standardErrorContent ?? [], as: UTF8.self).contains(words)
    }
}

private struct Call: Equatable {
    let time: Duration
    let count: Int
    init(_ time: Duration, _ count: Int) { (self.time, self.count) = (time, count) }
}

extension Reactor {
    @ReactorActor fileprivate var elapsed: Duration {
        ReactorInstant(nanoseconds: 0).duration(to: now)
    }
}
