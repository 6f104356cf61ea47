extension Reactor {
    /// Worker threads for calls that block and cannot be made to park. Any thread; never waits.
    ///
    /// No thread is started before there is work for it; ten are the most unless `suggestThreadPoolSize` says
    /// otherwise. Work queued while the reactor does not run waits for `run()` or `iterate()`. The pool stops
    /// with the reactor, after the `during` triggers of shutdown and without waiting for its work, whose
    /// results arrive when the reactor runs again, with a fresh pool: ask for it each time. To wait for them,
    /// let a `before` trigger of shutdown `try await reactor.threadPool.stopAndWait()`.
    public var threadPool: ThreadPool {
        adoptIfForked()
        return threads.pool
    }

    /// Changes how many worker threads the reactor's pool may have, now and in later runs. Any thread; never
    /// waits. Takes effect as `ThreadPool.adjust` does.
    ///
    /// - Throws: `ReactorError` with code `invalidArgument` when `limit` is not positive.
    public func suggestThreadPoolSize(_ limit: Int) throws(ReactorError) {
        adoptIfForked()
        try threads.suggestLimit(limit)
    }

    /// Runs `work` on a worker thread; nobody hears of its end. Any thread; never waits. Twisted's
    /// `callInThread`.
    ///
    /// What `work` throws goes to `onUncaughtError` with the place of this call; the worker lives on.
    /// - Throws: `ReactorError` as `ThreadPool.submit` does.
    public func callInThread(
        _ work: @escaping @Sendable () throws -> Void, file: StaticString = #fileID, line: UInt = #line
    ) throws(ReactorError) {
        try callMultipleInThread([work], file: file, line: line)
    }

    /// Runs all of `works` on one worker thread, one after the other. Any thread; never waits.
    ///
    /// The first that throws ends the series: its error goes to `onUncaughtError`, the rest never run. As
    /// Twisted's `callMultipleInThread`.
    /// - Throws: `ReactorError` as `ThreadPool.submit` does.
    public func callMultipleInThread(
        _ works: [@Sendable () throws -> Void], file: StaticString = #fileID,
        line: UInt = #line
    ) throws(ReactorError) {
        try threadPool.submit {
            do {
                for work in works { try work() }
            } catch {
                self.callFromThread {
                    self.onUncaughtError(error, "a call in a worker thread, made at \(file):\(line)")
                }
            }
        }
    }

    // MARK: With a result

    /// Runs `work` on a worker thread of the reactor's pool; the Deferred fires on the reactor. Reactor only;
    /// never waits.
    ///
    /// Cancelling the Deferred fires it with `DeferredError.cancelled` at once and drops work that is still
    /// queued. Work that has begun goes on, its outcome is dropped. Twisted's `deferToThread`; prefer
    /// `deferToGreenlet` for calls that the blocking shims cover: they need no thread.
    ///
    /// Without a thread for it, the Deferred fails as `ThreadPool.submit` would throw.
    @ReactorActor public func deferToThread<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        deferToThreadPool(threadPool, work, file: file, line: line)
    }

    /// As the form with a closure: `reactor.deferToThread(add, 3, 4)`.
    @ReactorActor public func deferToThread<each Argument: Sendable, Value: Sendable>(
        _ function: @escaping @Sendable (repeat each Argument) throws -> Value,
        _ arguments: repeat each Argument, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        deferToThreadPool(
            threadPool, { try function(repeat each arguments) }, file: file, line: line)
    }

    /// As `deferToThread`, on any pool; the pool need not belong to this reactor, nor to any.
    @ReactorActor public func deferToThreadPool<Value: Sendable>(
        _ pool: ThreadPool, _ work: @escaping @Sendable () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        let call = DeferredWork<Value>()
        // Weak: the work holds the call, and the call holds the Deferred, until one of the two ends.
        let deferred = Deferred<Value>(onCancel: { [weak call] _ in call?.cancel() }, file: file, line: line)
        call.deferred = deferred
        // The reactor looks into its own pool before it sees a deadlock, not into others.
        if pool !== threadPool { call.waker = externalWaker() }
        do throws(ReactorError) {
            call.ticket = try pool.enqueue {
                let result = Result { try work() }
                self.callFromThread { call.finish(result) }
            }
        } catch {
            call.finish(.failure(error))
        }
        return deferred
    }

    /// As the form with a closure: `reactor.deferToThreadPool(pool, add, 3, 4)`.
    @ReactorActor public func deferToThreadPool<each Argument: Sendable, Value: Sendable>(
        _ pool: ThreadPool, _ function: @escaping @Sendable (repeat each Argument) throws -> Value,
        _ arguments: repeat each Argument, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        deferToThreadPool(
            pool, { try function(repeat each arguments) }, file: file, line: line)
    }
}

/// Work in a pool, seen from the reactor that will hear of its end.
@ReactorActor private final class DeferredWork<Value: Sendable> {
    var ticket: ThreadPool.Ticket?
    /// Given up on the reactor, so that the worker never has the last reference.
    var deferred: Deferred<Value>?
    var waker: ExternalWaker?

    func cancel() {
        deferred = nil
        waker = nil
        ticket?.cancel()
    }

    func finish(_ result: Result<Value, any Error>) {
        guard let deferred else { return }
        self.deferred = nil
        waker = nil
        // Fails only when somebody else has fired the Deferred: theirs is the outcome then.
        switch result {
        case .success(let value): try? deferred.callback(value)
        case .failure(let error): try? deferred.errback(error)
        }
    }
}
