extension Reactor {
    /// The time of this reactor's clock, read now. Reactor only.
    @ReactorActor public var now: ReactorInstant { clock.now }

    /// Makes `action` run once, `delay` from now, on the reactor. Reactor only; never waits.
    ///
    /// Equal deadlines run in the order they were made. `.zero` runs in a coming turn, never inside this
    /// call. A delay past the clock's range (292 years) never comes. An error thrown by `action` goes to
    /// `onUncaughtError`.
    /// - Precondition: `delay` is not negative.
    /// - Complexity: O(log n).
    @ReactorActor @discardableResult
    public func callLater(
        _ delay: Duration, _ action: @escaping @ReactorActor () throws -> Void
    ) -> DelayedCall {
        precondition(delay >= .zero, "callLater(\(delay)): a delay cannot be negative")
        return timers.add(at: now.advanced(by: delay), on: self, action)
    }

    /// Parks the calling task for `duration`; the reactor goes on. Zero lets everything that is ready run
    /// once.
    ///
    /// - Throws: `CancellationError` when the task is cancelled, at once; the timer is gone then.
    @ReactorActor public func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        let waiter = Waiter<Void>(on: self)
        let timer = callLater(max(.zero, duration)) { waiter.resume(returning: ()) }
        defer { timer.cancelIfActive() }
        try await waiter.wait()
    }

    /// Makes every call that is due, in order.
    ///
    /// Calls made meanwhile wait for the next turn, so a timer that re-arms itself at once cannot hold the
    /// loop. The queue is not borrowed while user code runs: that code adds and cancels timers.
    @ReactorActor func fireTimers() {
        guard timers.pendingCount > 0 else { return }
        let now = clock.now
        let last = timers.lastSequence
        while let call = timers.popDue(at: now, madeUpTo: last) {
            attempt("a delayed call") { try call.fire() }
        }
    }

    /// How many delayed calls are still to come, those behind `sleep` and time-outs included. Reactor only.
    @ReactorActor public var delayedCallCount: Int { timers.pendingCount }
}
