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
