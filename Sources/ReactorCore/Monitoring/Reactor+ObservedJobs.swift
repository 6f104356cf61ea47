import CLinux
import DequeModule

extension Reactor {
    /// As `runReadyJobs`, for a loop that somebody watches. A loop of its own, so that nothing is asked for each job
    /// while nobody does.
    @ReactorActor func runReadyJobsObserved(atMost most: Int) -> Int {
        var left = most
        var limit = TurnLimit()
        defer {
            jobCount &+= limit.count
            monitor.words.jobsEnded()
        }
        repeat {
            switch ready.popFirst() {
            case nil: return left
            case .job(let job): runObserved(job)
            case .fiber(let fiber):
                // Read before: it may end, and be freed. Who queues fibers has set the resumer.
                let owner = fiber.pointee.owner!
                observe(UInt(bitPattern: fiber.pointee.task)) { fiberResumer!.resumeFiber(of: owner) }
            case .yielded(let continuation):
                resumedJob = .expected
                continuation.resume()
                if case .arrived(let job) = resumedJob {
                    resumedJob = .none
                    runObserved(job)
                }
                resumedJob = .none
            case .call(let node):
                monitor.words.jobBegins(0)
                make(node)
                monitor.words.jobEnded()
            case .probe(let watch): noteSwitch(of: watch.task, isResumed: false)
            }
            left &-= 1
        } while !limit.isReached() && left > 0
        return left
    }

    @ReactorActor private func runObserved(_ job: UnownedJob) {
        // A task's job is the task: both are the address of the same object of the runtime.
        observe(unsafeBitCast(job, to: UInt.self)) {
            job.runSynchronously(
                isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        }
    }

    /// Makes `step`, which is one of the task.
    @ReactorActor private func observe(_ task: UInt, _ step: () -> Void) {
        let before = observation
        if before.contains(.monitor) { monitor.words.jobBegins(task) }
        if before.contains(.switches) { noteSwitch(of: task, isResumed: true) }
        let start = before.contains(.accounting) ? clinux_thread_cpu_ns() : 0
        let owner = before.contains(.accounting) ? accountOwners[task] ?? task : task
        step()
        if before.contains(.accounting), observation.contains(.accounting) {
            accounts[owner, default: TaskAccount()].processorTime += clinux_thread_cpu_ns() - start
            accounts[owner, default: TaskAccount()].runCount += 1
        }
        if observation.contains(.switches) { noteSwitch(of: task, isResumed: false) }
        if before.contains(.monitor) { monitor.words.jobEnded() }
    }

    @ReactorActor func noteSwitch(of task: UInt, isResumed: Bool) {
        let now = clinux_monotonic_ns()
        for watch in switchWatches where watch.task == task {
            if isResumed { watch.resumed(at: now) } else { watch.gaveWay(at: now) }
        }
    }
}
