extension Reactor {
    /// Runs `body` on the reactor and blocks the calling thread until it has returned; hands on its value or
    /// error. Any thread but the reactor's own. Twisted's `blockingCallFromThread`.
    ///
    /// Not for `async` code, which awaits the reactor instead, and not for greenlets, which have
    /// `Greenlet.blockingCall`. A thread that runs another reactor stands still meanwhile, and so do its tasks.
    /// - Throws: what `body` throws, with its own type; `ReactorError` with code `notRunning` when the reactor
    ///   does not run or stops before the answer, `wouldBlockItself` on the reactor's own thread. In all three
    ///   a `body` that has not begun never runs.
    @available(*, noasync, message: "await the reactor's work instead of blocking a thread for it")
    public func blockingCallFromThread<Value: Sendable>(
        _ body: @escaping @Sendable @ReactorActor () throws -> Value
    ) throws -> Value {
        try block { call in call.finish(Result { () throws -> Value in try body() }) }
    }

    /// As the plain form; the wait is for the outcome of the Deferred that `body` returns. When the reactor
    /// stops first, the Deferred is cancelled as soon as it runs again.
    @available(*, noasync, message: "await the reactor's work instead of blocking a thread for it")
    public func blockingCallFromThread<Value: Sendable>(
        _ body: @escaping @Sendable @ReactorActor () throws -> Deferred<Value>
    ) throws -> Value {
        try block { call in
            do {
                let deferred = try body()
                call.cancelWork = { deferred.cancel() }
                deferred.addBoth { result in call.finish(result) }
            } catch { call.finish(.failure(error)) }
        }
    }

    /// As the plain form; the wait is for the end of the `async` body, which runs as a task on the reactor.
    /// When the reactor stops first, the task is cancelled.
    @available(*, noasync, message: "await the reactor's work instead of blocking a thread for it")
    public func blockingCallFromThread<Value: Sendable>(
        _ body: @escaping @Sendable @ReactorActor () async throws -> Value
    ) throws -> Value {
        try block { call in
            let task = self.startTask {
                do { call.finish(.success(try await body())) } catch { call.finish(.failure(error)) }
            }
            call.cancelWork = { task.cancel() }
        }
    }

    /// Blocks until `start`, or something it has set going, finishes the call.
    private func block<Value: Sendable>(
        _ start: @escaping @Sendable @ReactorActor (BlockingCall<Value>) -> Void
    ) throws -> Value {
        guard !isOnReactorThread else {
            throw ReactorError(
                .wouldBlockItself,
                """
                blockingCallFromThread was called on the reactor's own thread, which would wait for itself for \
                ever: call the function, await it, or in a greenlet use Greenlet.blockingCall
                """)
        }
        let call = BlockingCall<Value>(on: self)
        adoptIfForked()
        guard let number = threads.add(call) else {
            throw ReactorError(
                .notRunning,
                "blockingCallFromThread: the reactor does not run, so nobody would answer; run it first")
        }
        defer { threads.remove(number) }
        callFromThread { if call.isPending { start(call) } }
        return try call.wait()
    }
}

/// One thread that waits for one outcome.
///
/// Unchecked: `result` is used under the monitor.
private final class BlockingCall<Value: Sendable>: BlockedCall, @unchecked Sendable {
    private let monitor = ThreadMonitor()
    private let reactor: Reactor
    private var result: Result<Value, any Error>?
    /// Ends what the call has set going, when nobody waits for it any more.
    @ReactorActor var cancelWork: (@ReactorActor () -> Void)?

    init(on reactor: Reactor) { self.reactor = reactor }

    var isPending: Bool { monitor.withLock { result == nil } }

    /// Any thread; the first outcome stays.
    func finish(_ result: Result<Value, any Error>) {
        monitor.withLock {
            guard self.result == nil else { return }
            self.result = result
            monitor.signal()
        }
    }

    func wait() throws -> Value {
        try monitor.withLock { () -> Result<Value, any Error> in
            while true {
                if let result { return result }
                monitor.wait()
            }
        }.get()
    }

    func reactorStopped() {
        finish(
            .failure(
                ReactorError(.notRunning, "the reactor stopped before the call from a thread was answered")))
        reactor.callFromThread {
            self.cancelWork?()
            self.cancelWork = nil
        }
    }
}
