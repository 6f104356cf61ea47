import ReactorCore
import ReactorTesting
import Testing

@Suite struct CooperativeTaskTests {
    private struct Broken: Error {}

    // MARK: Pause and resume

    @Test func pausedTaskMakesNoStepUntilResumed() async throws {
        try await withWorker { reactor, worker in
            await reactor.makeTurns(3)
            let made = worker.made
            #expect(made > 0)
            try worker.task.pause()
            #expect(worker.task.isPaused && reactor.delayedCallCount == 0)
            await reactor.makeTurns(3)
            #expect(worker.made == made)
            try worker.task.resume()
            #expect(worker.made == made)
            await reactor.makeTurns(3)
            #expect(worker.made > made)
        }
    }

    @Test func pausesAreCounted() async throws {  // S50
        try await withWorker { reactor, worker in
            try worker.task.pause()
            try worker.task.pause()
            try worker.task.resume()
            await reactor.makeTurns(3)
            #expect(worker.made == 0)
            try worker.task.resume()
            await reactor.makeTurns(3)
            #expect(worker.made > 0)
        }
    }

    @Test func pauseComposesWithTheWaitForADeferred() async throws {  // S50
        for resumesFirst in [true, false] {
            try await withWorker { reactor, worker in
                let wait = Deferred<String>()
                worker.nextDeferred = wait
                await reactor.makeTurns(3)
                #expect(worker.made == 1)
                try worker.task.pause()
                if resumesFirst { try worker.task.resume() } else { try wait.callback("stuff") }
                await reactor.makeTurns(3)
                #expect(worker.made == 1)
                if resumesFirst { try wait.callback("stuff") } else { try worker.task.resume() }
                await reactor.makeTurns(3)
                #expect(worker.made > 1)
            }
        }
    }

    @Test func resumeWithoutPauseIsAnError() async throws {  // S50
        try await withWorker { reactor, worker in
            @ReactorActor func resumeIsRefused() -> Bool {
                do { try worker.task.resume() } catch { return error.code == .notPaused }
                return false
            }
            #expect(resumeIsRefused())
            try worker.task.pause()
            try worker.task.resume()
            #expect(resumeIsRefused())
            worker.nextDeferred = Deferred<String>()
            await reactor.makeTurns(3)
            // Waiting is not being paused.
            #expect(resumeIsRefused())
        }
    }

    @Test func pausedInItsOwnStepATaskStays() async throws {
        try await withReactor(clock: ManualClock()) { reactor in
            var count = 0
            var task: CooperativeTask?
            task = reactor.cooperate(
                (0..<3).lazy.map { _ in
                    count += 1
                    try? task?.pause()
                    if count == 1 { try? task?.resume() }
                })
            await reactor.makeTurns(3)
            #expect(count == 2)
            try task?.resume()
            try task?.stop()
        }
    }

    // MARK: The end

    @Test func lastTaskToGoTakesTheNextSliceWithIt() async throws {  // S50
        try await withReactor(clock: ManualClock()) { reactor in
            let cooperator = Cooperator(on: reactor)
            let first = cooperator.cooperate([1, 2])
            let second = cooperator.cooperate([1, 2])
            #expect(reactor.delayedCallCount == 1)
            try first.stop()
            #expect(reactor.delayedCallCount == 1)
            try second.stop()
            #expect(reactor.delayedCallCount == 0)
            let third = cooperator.cooperate([1, 2])
            #expect(reactor.delayedCallCount == 1)
            try third.pause()
            #expect(reactor.delayedCallCount == 0)
            try third.resume()
            try await third.whenDone().value
        }
    }

    @Test func eachWhoAsksHearsOfTheEnd() async throws {
        try await withWorker { reactor, worker in
            var log: [String] = []
            worker.task.whenDone().addCallback { _ in "one" }.addCallback { log.append($0) }
            worker.task.whenDone().addCallback { _ in "two" }.addCallback { log.append($0) }
            worker.ends = true
            await reactor.makeTurns(3)
            #expect(log == ["one", "two"])
            worker.task.whenDone().addCallback { _ in log.append("late") }
            #expect(log == ["one", "two", "late"] && worker.task.isDone)
        }
    }

    @Test func whoAsksAndCancelsLeavesTheTaskAlone() async throws {
        try await withWorker { reactor, worker in
            var error: (any Error)?
            let done = worker.task.whenDone()
            done.addErrback { error = $0 }
            done.cancel()
            #expect((error as? DeferredError)?.code == .cancelled)
            #expect(!worker.task.isDone)
            worker.ends = true
            await reactor.makeTurns(3)
            #expect(worker.task.isDone)
        }
    }

    @Test func endedTaskRefusesWithItsReason() async throws {
        try await withReactor { reactor async throws in
            let cooperator = reactor.cooperator
            let done = cooperator.cooperate([1])
            let failed = cooperator.cooperate(while: { throw Broken() })
            let stopped = cooperator.cooperate([1])
            try stopped.stop()
            try await done.whenDone().value
            await #expect(throws: Broken.self) { try await failed.whenDone().value }
            let ends: [(CooperativeTask, CooperatorError.Code)] = [
                (done, .taskDone), (failed, .taskFailed), (stopped, .taskStopped),
            ]
            for (task, code) in ends {
                for operation in [task.pause, task.stop] {
                    let error = #expect(throws: CooperatorError.self) { try operation() }
                    #expect(error?.code == code)
                    #expect((error?.underlying is Broken) == (code == .taskFailed))
                    #expect(error?.message.contains("CooperativeTaskTests.swift:") == true)
                }
            }
        }
    }

    @Test func stoppedTaskFailsThoseWhoWaitForIt() async throws {
        try await withWorker { reactor, worker in
            var code: CooperatorError.Code?
            worker.task.whenDone().addErrback { code = ($0 as? CooperatorError)?.code }
            try worker.task.stop()
            #expect(code == .taskStopped)
            await reactor.makeTurns(3)
            #expect(worker.made == 0)
        }
    }

    @Test func resumingATaskThatWasStoppedMeanwhileDoesNothing() async throws {
        try await withWorker { reactor, worker in
            try worker.task.pause()
            try worker.task.stop()
            try worker.task.resume()
            await reactor.makeTurns(3)
            #expect(worker.made == 0)
        }
    }

    @Test func deferredOfAStoppedTaskIsLeftAlone() async throws {
        try await withWorker { reactor, worker in
            let wait = Deferred<String>()
            worker.nextDeferred = wait
            await reactor.makeTurns(3)
            try worker.task.stop()
            #expect(!wait.isCalled)
            try wait.callback("seven")
            let value = try await wait.value
            #expect(value == "seven")
            await reactor.makeTurns(3)
            #expect(worker.made == 1)
        }
    }

    @Test func failureThatNobodyAsksForIsReported() async throws {
        let recorder = UnhandledErrorRecorder()
        let line = #line + 3
        try await withReactor { reactor in
            do {
                let task = reactor.cooperator.cooperate(while: { throw Broken() })
                await reactor.makeTurns(2)
                #expect(task.isDone)
            }
            #expect(recorder.errors(ofLine: line) == ["Broken()"])
        }
    }

    @Test func failureThatIsAskedForLateIsNotReported() async throws {
        let recorder = UnhandledErrorRecorder()
        let line = #line + 2
        try await withReactor { reactor async throws in
            let task = reactor.cooperator.cooperate(while: { throw Broken() })
            await reactor.makeTurns(2)
            #expect(task.isDone)
            for _ in 0..<2 { await #expect(throws: Broken.self) { try await task.whenDone().value } }
        }
        #expect(recorder.errors(ofLine: line).isEmpty)
    }

    @Test func endedTaskLetsGoOfItsSteps() async throws {
        final class Witness {}
        try await withReactor { reactor in
            weak var witness: Witness?
            @ReactorActor func add() -> CooperativeTask {
                let made = Witness()
                witness = made
                return reactor.cooperate([made])
            }
            let task = add()
            #expect(witness != nil)
            try await task.whenDone().value
            #expect(witness == nil)
        }
    }

    // MARK: Random schedules

    /// Tasks that are paused, resumed, stopped and made to wait at random make the same steps in the same order as a
    /// model that keeps plain lists.
    @Test(arguments: 0..<20)
    func randomSchedulesAreThoseOfTheModel(run: Int) async throws {
        let seed = UInt64.random(in: 0...(.max))
        try await withReactor(clock: ManualClock()) { reactor in
            var random = SeededGenerator(seed: seed)
            let cooperator = Cooperator(on: reactor, isStarted: false, timeSlice: .zero)
            let model = Model()
            var log: [Int] = []
            var tasks: [CooperativeTask] = []
            var waits: [Int: Deferred<Int>] = [:]
            for name in 0..<6 {
                let steps = AnyIterator<Deferred<Int>?> {
                    guard model.hasStepLeft(name) else { return nil }
                    log.append(name)
                    guard model.nextStepWaits(name) else { return .some(nil) }
                    let wait = Deferred<Int>()
                    waits[name] = wait
                    return wait
                }
                tasks.append(cooperator.cooperate(steps))
                let plan = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                    Int.random(in: 0..<3, using: &random) == 0
                }
                model.add(plan)
            }
            cooperator.start()
            for _ in 0..<200 {
                let name = Int.random(in: 0..<6, using: &random)
                switch Int.random(in: 0..<20, using: &random) {
                case 0..<3:
                    let isRefused = (try? tasks[name].pause()) == nil
                    #expect(isRefused == !model.pause(name), "seed \(seed)")
                case 3..<6:
                    let isRefused = (try? tasks[name].resume()) == nil
                    #expect(isRefused == !model.resume(name), "seed \(seed)")
                case 6..<11:
                    try waits.removeValue(forKey: name)?.callback(name)
                    model.endWait(name)
                case 11 where name == 5:
                    let isRefused = (try? tasks[name].stop()) == nil
                    #expect(isRefused == !model.stop(name), "seed \(seed)")
                default: break
                }
                await reactor.makeTurns(1)
                model.step()
                #expect(log == model.log, "seed \(seed)")
                guard log == model.log else { break }
            }
            #expect(tasks.map(\.isDone) == model.isDone, "seed \(seed)")
            cooperator.stop()
        }
    }

    @Test func stoppedTaskLetsGoOfWhatItWaitsFor() async throws {
        try await withReactor { reactor in
            weak var watched: CooperativeTask?
            do {
                let wait = Deferred<Int>()
                let task = Cooperator(on: reactor).cooperate(AnyIterator<Deferred<Int>?> { wait })
                await reactor.makeTurns(3)
                watched = task
                try task.stop()
            }
            await reactor.makeTurns(3)
            #expect(watched == nil)
        }
    }

    /// One step a turn, by lists.
    @ReactorActor private final class Model {
        private(set) var log: [Int] = []
        private(set) var isDone: [Bool] = []
        private var plans: [ArraySlice<Bool>] = []
        private var pauses: [Int] = []
        private var waiting: [Bool] = []
        private var line: [Int] = []
        /// What the real iterator asks, a step ahead of the model.
        private var asked: [ArraySlice<Bool>] = []

        func add(_ plan: [Bool]) {
            line.append(plans.count)
            plans.append(plan[...])
            asked.append(plan[...])
            pauses.append(0)
            waiting.append(false)
            isDone.append(false)
        }

        func hasStepLeft(_ name: Int) -> Bool { !asked[name].isEmpty }
        func nextStepWaits(_ name: Int) -> Bool { asked[name].removeFirst() }

        func pause(_ name: Int) -> Bool {
            guard !isDone[name] else { return false }
            pauses[name] += 1
            line.removeAll { $0 == name }
            return true
        }

        func resume(_ name: Int) -> Bool {
            guard pauses[name] > 0 else { return false }
            pauses[name] -= 1
            lineUp(name)
            return true
        }

        func endWait(_ name: Int) {
            guard waiting[name] else { return }
            waiting[name] = false
            lineUp(name)
        }

        func stop(_ name: Int) -> Bool {
            guard !isDone[name] else { return false }
            isDone[name] = true
            line.removeAll { $0 == name }
            return true
        }

        private func lineUp(_ name: Int) {
            if !isDone[name], pauses[name] == 0, !waiting[name], !line.contains(name) { line.append(name) }
        }

        func step() {
            guard !line.isEmpty else { return }
            let name = line.removeFirst()
            guard !plans[name].isEmpty else {
                isDone[name] = true
                return
            }
            log.append(name)
            waiting[name] = plans[name].removeFirst()
            lineUp(name)
        }
    }

    // MARK: A worker

    /// A task on a cooperator of one step a turn, which is stopped in the end.
    private func withWorker(
        _ body: @escaping @Sendable @ReactorActor (Reactor, Worker) async throws -> Void
    ) async throws {
        try await withReactor(clock: ManualClock()) { reactor in
            let worker = Worker(on: Cooperator(on: reactor, timeSlice: .zero))
            try await body(reactor, worker)
            if !worker.task.isDone { try worker.task.stop() }
        }
    }

    @ReactorActor private final class Worker {
        private(set) var made = 0
        var nextDeferred: Deferred<String>?
        var ends = false
        private(set) var task: CooperativeTask!

        init(on cooperator: Cooperator) {
            task = cooperator.cooperate(
                AnyIterator<Deferred<String>?> { [unowned self] in
                    guard !ends else { return nil }
                    made += 1
                    return nextDeferred.take()
                })
        }
    }
}
