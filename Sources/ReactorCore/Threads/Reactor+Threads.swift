extension Reactor {
    /// Runs `work` on a worker thread of the reactor's pool; the Deferred fires on the reactor. Reactor only;
    /// never waits.
    ///
    /// Cancelling the Deferred drops work that is still queued. Work that has begun goes on, its outcome is
    /// dropped. Twisted's `deferToThread`; prefer `deferToGreenlet` for calls that the blocking shims cover:
    /// they need no thread.
    @ReactorActor public func deferToThread<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        let pool = threadPool
        return Deferred(async: { try await pool.run(work) }, on: self, file: file, line: line)
    }

    /// Runs `work` on a worker thread; nobody hears of its end. Reactor only; never waits.
    ///
    /// - Throws: `ReactorError` as `ThreadPool.submit` does.
    @ReactorActor public func callInThread(_ work: @escaping @Sendable () -> Void) throws(ReactorError) {
        try threadPool.submit(work)
    }
}
