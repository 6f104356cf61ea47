import Glibc
import ReactorCore
import ReactorTesting
import Testing

/// Cooperators that are started, stopped and given work by their own tasks.
@Suite struct CooperatorLifeTests {
    @Test func stoppedCooperatorEndsItsTasks() async throws {  // S49
        try await withReactor { reactor in
            let cooperator = Cooperator(on: reactor)
            var count = 0
            var codes: [String] = []
            @ReactorActor func note(_ name: String, _ task: CooperativeTask) {
                task.whenDone().addErrback {
                    codes.append("\(name) \(($0 as? CooperatorError)?.code as Any)")
                }
            }
            let outstanding = Deferred<String>()
            note("waiting", cooperator.cooperate([outstanding]))
            await reactor.makeTurns(2)
            let paused = cooperator.cooperate([1])
            try paused.pause()
            note("paused", paused)
            note("in line", cooperator.cooperate((0..<3).lazy.map { _ in count += 1 }))
            cooperator.stop()
            #expect(!cooperator.isRunning && cooperator.taskCount == 0 && reactor.delayedCallCount == 0)
            note("new", cooperator.cooperate((0..<3).lazy.map { _ in count += 1 }))
            #expect(
                codes == ["waiting", "paused", "in line", "new"].map { "\($0) Optional(schedulerStopped)" })
            try outstanding.callback("arglebargle")
            try paused.resume()
            await reactor.makeTurns(2)
            #expect(count == 0)
        }
    }

    @Test func tasksWaitForStart() async throws {  // S49
        try await withReactor { reactor in
            let cooperator = Cooperator(on: reactor, isStarted: false)
            var count = 0
            let done = cooperator.coiterate((0..<3).lazy.map { _ in count += 1 })
            #expect(!cooperator.isRunning && reactor.delayedCallCount == 0)
            await reactor.makeTurns(2)
            #expect(count == 0)
            cooperator.start()
            #expect(cooperator.isRunning)
            try await done.value
            #expect(count == 3)
        }
    }

    @Test func stoppedCooperatorStartsAgain() async throws {
        try await withReactor { reactor in
            let cooperator = Cooperator(on: reactor)
            cooperator.stop()
            cooperator.start()
            try await cooperator.coiterate([1, 2]).value
        }
    }

    @Test func stepMayStopItsCooperator() async throws {
        try await withReactor { reactor async throws in
            let cooperator = Cooperator(on: reactor)
            let done = cooperator.coiterate((0..<3).lazy.map { _ in cooperator.stop() })
            let other = cooperator.coiterate([1])
            for deferred in [done, other] {
                let error = await #expect(throws: CooperatorError.self) { try await deferred.value }
                #expect(error?.code == .schedulerStopped)
            }
            #expect(reactor.delayedCallCount == 0)
        }
    }

    @Test func endOfATaskMayStopTheCooperator() async throws {  // TC test_stopCooperatorReentrancy
        try await withReactor { reactor in
            let cooperator = Cooperator(on: reactor)
            var phases: [String] = []
            try await cooperator.coiterate([1]).addCallback { _ in
                phases.append("ended")
                cooperator.stop()
                phases.append("stopped")
            }.value
            #expect(phases == ["ended", "stopped"])
        }
    }

    @Test func endOfATaskMayAddAnother() async throws {  // TC testCallbackReCoiterate
        try await withReactor(clock: ManualClock()) { reactor in
            let cooperator = Cooperator(on: reactor, timeSlice: .zero)
            var mostCalls = 0
            let steps = (0..<2).lazy.map { _ in mostCalls = max(mostCalls, reactor.delayedCallCount) }
            try await cooperator.coiterate(steps).addCallback { _ in cooperator.coiterate(steps) }.value
            #expect(mostCalls == 0 && reactor.delayedCallCount == 0)
        }
    }

    @Test func freeFunctionsUseTheReactorsCooperator() async throws {
        try await withReactor { reactor in
            let task = cooperate([1])
            #expect(reactor.cooperator.taskCount == 1)
            try await coiterate([1, 2]).value
            try await task.whenDone().value
            #expect(reactor.cooperator === reactor.cooperator)
        }
    }

    @Test func cooperatorIsHeldWhileItHasTasks() async throws {
        try await withReactor { reactor in
            weak var cooperator: Cooperator?
            @ReactorActor func add() -> Deferred<Void> {
                let made = Cooperator(on: reactor, timeSlice: .zero)
                cooperator = made
                return made.coiterate(0..<5)
            }
            let done = add()
            #expect(cooperator != nil)
            try await done.value
            await reactor.makeTurns(2)
            #expect(cooperator == nil)
        }
    }

    private enum Context { @TaskLocal static var name = "none" }

    @Test func stepsHaveTheValuesBoundWhereTheirTaskWasAdded() async throws {
        try await withReactor { reactor in
            let cooperator = Cooperator(on: reactor, isStarted: false)
            let names = Names()
            let first = Context.$name.withValue("first") { names.note(on: cooperator) }
            // Detached: nothing at all is bound there, not even the test's own values.
            let second = await Task.detached(executorPreference: reactor) { @ReactorActor in
                names.note(on: cooperator)
            }.value
            let third = Context.$name.withValue("third") { names.note(on: cooperator) }
            Context.$name.withValue("start") { cooperator.start() }
            _ = try await gatherResults([first, second, third]).value
            #expect(names.all == Array(repeating: ["first", "none", "third"], count: 3).flatMap { $0 })
        }
    }

    @ReactorActor private final class Names {
        private(set) var all: [String] = []

        func note(on cooperator: Cooperator) -> Deferred<Void> {
            cooperator.coiterate((0..<3).lazy.map { _ in self.all.append(Context.name) })
        }
    }

    @Test func negativeSliceIsACallersMistake() async {
        await #expect(processExitsWith: .failure) {
            try await withReactor { reactor in _ = Cooperator(on: reactor, timeSlice: .seconds(-1)) }
        }
    }
}
