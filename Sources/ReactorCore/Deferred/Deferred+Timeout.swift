extension Deferred {
    /// Cancels the Deferred unless it has an outcome within `limit`: a time-out of the work and of the callbacks added
    /// so far. Callbacks added later may take their time.
    ///
    /// What the cancellation comes to is passed to `onTimeout`, which makes of it what goes on. Without one, a
    /// cancellation becomes `DeferredError` with code `timedOut`, and an outcome of the canceller's own stays. Errbacks
    /// added before this see the cancellation, those added after it the time-out. The timer is gone once the outcome is
    /// there. Twisted's `addTimeout`; time is the reactor's clock.
    /// - Precondition: `limit` is not negative.
    @discardableResult
    public func addTimeout(
        _ limit: Duration, on reactor: Reactor = .current,
        onTimeout: (@ReactorActor (Result<Success, any Error>, Duration) throws -> Success)? = nil,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Success> {
        precondition(limit >= .zero, "addTimeout(\(limit)): a time-out cannot be negative")
        let site = CallSite(file, line)
        let madeAt = chain.madeAt
        var isOver = false
        let timer = reactor.callLater(limit) {
            isOver = true
            cancel()
        }
        return addBoth(
            { result -> Success in
                timer.cancelIfActive()
                guard isOver else { return try result.get() }
                if let onTimeout { return try onTimeout(result, limit) }
                if case .failure(let error) = result, DeferredError.isCancellation(error) {
                    throw DeferredError(
                        .timedOut,
                        "the Deferred made at \(madeAt) had no outcome within \(limit), set at \(site)")
                }
                return try result.get()
            }, file: file, line: line)
    }
}
