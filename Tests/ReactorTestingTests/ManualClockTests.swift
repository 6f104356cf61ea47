import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite(.onReactor(clock: ManualClock())) struct ManualClockTests {
    @Test @ReactorActor func callMadeByADueCallForTheSameMomentNeedsNoFurtherAdvance() async {
        let clock = ManualClock.current
        var log: [String] = []
        reactor.callLater(.seconds(1)) {
            log.append("outer \(reactor.now)")
            reactor.callLater(.zero) {
                log.append("nested \(reactor.now)")
                reactor.callLater(.zero) { log.append("innermost") }
            }
            reactor.callLater(.seconds(1)) { log.append("later") }
        }
        reactor.callLater(.seconds(1)) { log.append("second") }
        await clock.pump([.seconds(3)])
        // All see the end of the step. What is due together runs first, then what it made due.
        #expect(log == ["outer \(reactor.now)", "second", "nested \(reactor.now)", "innermost"])
        await clock.pump([.seconds(1)])
        #expect(log.last == "later")
    }

    @Test @ReactorActor func pumpStopsAfterEveryStep() async throws {
        let clock = ManualClock.current
        var ticks: [ReactorInstant] = []
        let greenlet = Greenlet.spawn {
            for _ in 0..<3 {
                try await reactor.sleep(for: .seconds(1))
                ticks.append(reactor.now)
            }
        }
        await clock.pump([.zero, .milliseconds(500), .milliseconds(500), .seconds(1), .seconds(5)])
        let start = ReactorInstant(nanoseconds: 0)
        #expect(ticks == [1, 2, 7].map { start.advanced(by: .seconds($0)) })
        try await greenlet.get()
    }

    @Test @ReactorActor func settledMeansThatEverythingReadyHasRun() async {
        var steps = 0
        let tasks = (0..<10).map { _ in
            Greenlet.spawn { () async in
                for _ in 0..<50 {
                    await reactor.yield()
                    steps += 1
                }
            }
        }
        await ManualClock.current.settle()
        #expect(steps == 500)
        #expect(tasks.allSatisfy { $0.isReady })
    }

    @Test @ReactorActor func twoMayWaitForTheReactorToSettle() async throws {
        let clock = ManualClock.current
        let other = Greenlet.spawn { await clock.settle() }
        await clock.settle()
        try await other.get()
    }
}

@Suite struct ManualClockTimeTests {
    @Test func timeDoesNotGoBackwards() async {
        await #expect(processExitsWith: .failure) { ManualClock().advance(by: .seconds(-1)) }
    }
}
