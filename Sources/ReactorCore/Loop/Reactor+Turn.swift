import CLinux
import DequeModule
import Synchronization

extension Reactor {
    /// One turn: the inbox, what is ready, due timers, what they made ready, then descriptors; each for a `TurnLimit`. See
    /// DESIGN §3.
    @ReactorActor func turn(waitingAtMost limit: Duration? = nil) {
        turnCount += 1
        turnTime = clinux_monotonic_ns()
        let forks = clinux_fork_count()
        if observation.contains(.monitor) { monitor.words.turnBegins(at: turnTime) }
        receiveInbox()
        runReadyJobs()
        // In a child process that has come back from it, nothing of the parent's is to run.
        guard forks == clinux_fork_count() else { return }
        if !ready.isEmpty { returnReadyMemory() }
        fireTimers()
        guard forks == clinux_fork_count() else { return }
        runDueJobs()
        guard forks == clinux_fork_count() else { return }
        poll(waitingAtMost: limit)
    }

    /// Jobs and calls of foreign threads line up behind what is ready here, so that a flood of them is
    /// bounded with it.
    @ReactorActor private func receiveInbox() {
        guard inbox.mayHaveItems else { return }
        inbox.take { node in
            switch node.item {
            case .job(let job): ready.append(.job(job))
            case .call, .startCall: ready.append(.call(node))
            }
        }
    }

    /// Runs what is ready, for a limited time: a green thread that yields in a tight loop keeps the queue
    /// full for ever, and must not keep descriptors and timers waiting. Returns how many of `most` were not run.
    @ReactorActor @discardableResult private func runReadyJobs(atMost most: Int = .max) -> Int {
        guard !ready.isEmpty else { return most }
        guard observation.isEmpty else { return runReadyJobsObserved(atMost: most) }
        let serial = asUnownedSerialExecutor()
        let task = asUnownedTaskExecutor()
        var left = most
        var limit = TurnLimit()
        defer { jobCount &+= limit.count }
        repeat {
            switch ready.popFirst() {
            case nil: return left
            case .job(let job): job.runSynchronously(isolatedTo: serial, taskExecutor: task)
            // Who queues fibers has set the resumer.
            case .fiber(let fiber): fiberResumer!.resumeFiber(of: fiber.pointee.owner)
            case .yielded(let continuation):
                resumedJob = .expected
                continuation.resume()
                if case .arrived(let job) = resumedJob {
                    resumedJob = .none
                    job.runSynchronously(isolatedTo: serial, taskExecutor: task)
                }
                resumedJob = .none
            case .call(let node): make(node)
            case .probe(let watch):
                noteSwitch(of: watch.task, isResumed: false)
                return left
            }
            left &-= 1
        } while !limit.isReached() && left > 0
        return left
    }

    /// Runs what timers have made ready, for a limited time. What that makes ready lines up with all the rest.
    @ReactorActor private func runDueJobs() {
        guard !due.isEmpty else { return }
        let forks = clinux_fork_count()
        swap(&ready, &due)
        let count = ready.count
        let left = runReadyJobs(atMost: count)
        guard forks == clinux_fork_count() else { return }
        due.append(contentsOf: ready.dropFirst(left))
        ready.removeLast(ready.count - left)
        if count > Self.largeQueue { isDueLarge = true }
        if isDueLarge, ready.isEmpty { (ready, isDueLarge) = ([], false) }
        swap(&ready, &due)
    }

    /// A queue that has held more jobs than this is not worth keeping as large.
    private static var largeQueue: Int { 4096 }

    /// Gives back what a burst has made the queue grow to, once most of that has run: a hundred thousand greenlets spawned at
    /// once would leave it megabytes for ever. Called by turns that leave something over, as all do with so much to run.
    @ReactorActor func returnReadyMemory() {
        let count = ready.count
        guard count <= readyPeak else { return readyPeak = count }
        guard readyPeak > Self.largeQueue, count < readyPeak / 8 else { return }
        readyPeak = count
        var rest = Deque<ReadyItem>(minimumCapacity: count)
        rest.append(contentsOf: ready)
        ready = rest
    }

    @ReactorActor func make(_ node: Inbox.Node) {
        switch node.item {
        case .job: preconditionFailure("a job was queued as a call")
        case .call(let call, let site): attempt("the call from a thread made at \(site)", call)
        case .startCall(let call, let site):
            if hasStarted {
                attempt("the call made when running, of \(site)", call)
            } else {
                startCalls.append(node)
            }
        }
    }

    @ReactorActor private func poll(waitingAtMost limit: Duration?) {
        if let idleWaiters { return pollForIdleness(idleWaiters) }
        look(timeoutNanoseconds: pollTimeout(limit))
    }

    /// Asks the kernel what has become ready, and tells who wants to know. Whether callbacks were told.
    @ReactorActor @discardableResult
    func look(timeoutNanoseconds timeout: Int64) -> Bool {
        var hasCalled = false
        let isWatched = timeout != 0 && observation.contains(.monitor)
        if isWatched { monitor.words.loopSleeps() }
        switch poller {
        case .epoll(let poller):
            let count = poller.wait(timeoutNanoseconds: timeout)
            if isWatched { monitor.words.loopWakes() }
            poller.handle(count) {
                resumeWaiters($0)
            } call: {
                hasCalled = true
                callCallbacks($0)
            }
        case .ring(let poller):
            let outcome = poller.wait(timeoutNanoseconds: timeout)
            if isWatched { monitor.words.loopWakes() }
            poller.handle(outcome) {
                resumeWaiters($0)
            } call: {
                hasCalled = true
                callCallbacks($0)
            } fail: {
                failWaiters(of: $0, generation: $1, code: -$2)
            }
        }
        return hasCalled
    }

    /// How long the kernel may wait: −1 for ever.
    @ReactorActor private func pollTimeout(_ limit: Duration?) -> Int64 {
        guard readyCount == 0, !inbox.mayHaveItems, phase.load(ordering: .acquiring).maySleep else {
            return 0
        }
        // No closure: isolated, it would be checked each time.
        var timeout: Int64?
        if let idle = clock.idle(until: timers.pointee.nextDeadline) {
            timeout = max(0, idle.wholeNanoseconds)
        }
        guard let limit = limit?.wholeNanoseconds else {
            if let timeout { return timeout }
            guard waitsForItselfOnly, timers.pointee.count == 0 else { return -1 }
            return timeoutBeforeDeadlock()
        }
        return min(timeout ?? limit, limit)
    }
}
