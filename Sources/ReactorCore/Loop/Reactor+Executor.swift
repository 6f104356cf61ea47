package import CLinux
import DequeModule

extension Reactor {
    /// Queues a job of the Swift runtime. Any thread; never waits.
    ///
    /// On the reactor's own thread this is an append to a plain queue; foreign threads go through the inbox.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isOnReactorThread {
            if case .expected = resumedJob {
                resumedJob = .arrived(job)
            } else {
                ready.append(.job(job))
            }
        } else {
            adoptIfForked()
            if inbox.put(.job(job)) { wake() }
        }
    }

    /// This reactor as the executor of `ReactorActor`.
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// This reactor as the executor that a task prefers for its nonisolated parts.
    public func asUnownedTaskExecutor() -> UnownedTaskExecutor {
        UnownedTaskExecutor(ordinary: self)
    }

    /// Lets the runtime ask whether code outside any task is on this executor.
    public func checkIsolated() {
        precondition(
            isOnReactorThread, "reactor-only code was called from a foreign thread; use callFromThread")
    }

    /// Lets the runtime ask the same without trapping.
    public func isIsolatingCurrentContext() -> Bool? { isOnReactorThread }

    /// Starts a task that runs on this reactor from its first step to its last. Any thread.
    ///
    /// With the isolation alone, tasks start and resume on the global pool and hop; the executor preference
    /// keeps them here, and their child tasks too. The task holds the reactor alive, and the
    /// reactor knows of it: no deadlock is seen while it is suspended on something unknown.
    package func startTask<Value: Sendable>(
        name: String? = nil, _ operation: @escaping @Sendable @ReactorActor () async -> Value
    ) -> Task<Value, Never> {
        // Built apart from the call: the region checker of Swift 6.3 does not understand both in one
        // expression.
        let body: @Sendable @ReactorActor () async -> Value = { [self] in
            // The task that runs this, so there is one.
            let task = UInt(bitPattern: clinux_current_task()!)
            attachedTasks.insert(task)
            defer { attachedTasks.remove(task) }
            return await operation()
        }
        return Task(name: name, executorPreference: self, operation: body)
    }

    /// Lets everything that is ready run once before the calling task goes on. Reactor only.
    ///
    /// Never throws: a yield loop ends by looking at `Task.isCancelled` itself. Descriptors and timers are
    /// looked at every few milliseconds even when tasks yield to each other for ever.
    @ReactorActor public func yield() async {
        await withUnsafeContinuation(enqueueYielded)
    }

    /// Queues a task that yields. Reactor only, but not isolated: an isolated function given to the standard library is
    /// checked each time it is called.
    package func enqueueYielded(_ continuation: UnsafeContinuation<Void, Never>) {
        ready.append(.yielded(continuation))
    }

    /// As `enqueueYielded`, on the reactor of the calling thread, which there is. Counts no references: that took a tenth
    /// of a yield.
    package static func enqueueYielded(_ continuation: UnsafeContinuation<Void, Never>) {
        guard let pointer = clinux_get_thread_reactor() else {
            preconditionFailure("a task yields on a thread that runs no reactor")
        }
        // The thread-local is set only while run() holds the reactor alive.
        Unmanaged<Reactor>.fromOpaque(pointer)._withUnsafeGuaranteedRef { $0.enqueueYielded(continuation) }
    }

    /// Queues a job that was held back. Reactor only.
    package func enqueueHeldBack(_ job: UnownedJob) { ready.append(.job(job)) }

    /// Queues a fiber that is to go on. Reactor only.
    package func enqueue(_ fiber: UnsafeMutablePointer<clinux_resumable>) { ready.append(.fiber(fiber)) }

    /// As `enqueue`, on the reactor of the calling thread, which there is; counts no references.
    package static func enqueueHere(_ fiber: UnsafeMutablePointer<clinux_resumable>) {
        // The thread-local is set only while run() holds the reactor alive.
        Unmanaged<Reactor>.fromOpaque(clinux_get_thread_reactor())._withUnsafeGuaranteedRef {
            $0.enqueue(fiber)
        }
    }

    /// Runs a suspended task's next step now, before everything that is ready.
    @ReactorActor package func resumeAtOnce(_ continuation: UnsafeContinuation<Void, Never>) {
        resumedJob = .expected
        continuation.resume()
        defer { resumedJob = .none }
        guard case .arrived(let job) = resumedJob else { return }
        resumedJob = .none
        job.runSynchronously(
            isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }

    /// Runs `call` on the reactor's thread, soon, in the order of the calls of each thread. Any thread; never
    /// waits.
    ///
    /// Called on the reactor's own thread it still runs later, in a coming turn. What is queued while the
    /// reactor is stopped runs when it runs again. An error goes to `onUncaughtError`, with the place of this
    /// call.
    public func callFromThread(
        _ call: @escaping @Sendable @ReactorActor () throws -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        adoptIfForked()
        if inbox.put(.call(Self.preparingFromAnyThread(call), CallSite(file, line))) { wake() }
    }

    /// Runs `call` on the reactor as soon as it runs: soon when it does, else once the next `run()` has
    /// started up. Any thread; never waits. Calls keep their order.
    ///
    /// "Runs" means that the `after` triggers of startup are through. A call of `stop()` from here is how one
    /// asks a reactor to stop before anybody has run it. An error goes to `onUncaughtError`, with the place
    /// of this call.
    public func whenRunning(
        _ call: @escaping @Sendable @ReactorActor () throws -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        adoptIfForked()
        if inbox.put(.startCall(Self.preparingFromAnyThread(call), CallSite(file, line))) { wake() }
    }
}
