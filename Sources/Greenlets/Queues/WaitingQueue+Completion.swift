import ReactorCore

extension WaitingQueue {
    /// Says that one element that was taken has been dealt with. Never waits.
    ///
    /// - Throws: `GreenletError` with code `notHeld` when all have been.
    public func taskDone() throws(GreenletError) {
        guard unfinishedCount > 0 else {
            throw GreenletError(
                .notHeld, "taskDone() is called more often than elements were put into the queue")
        }
        finish(1)
    }

    private func finish(_ count: Int) {
        unfinished -= count
        if unfinished == 0 { joiners.openAll() }
    }

    /// Parks the calling task until as many elements are done as were put, or `timeout` is over. Whether they are, or
    /// were meanwhile.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    @discardableResult
    public func join(timeout: Duration? = nil) async throws -> Bool {
        if unfinishedCount == 0 { return true }
        return try await beginToJoin().waitUntilOpen(timeout: timeout)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated func join(timeout: Duration? = nil) throws -> Bool {
        try Greenlet.inGreenlet {
            if unfinishedCount == 0 { return true }
            return try Greenlet.wait(for: beginToJoin(), timeout: timeout)
        }
    }

    private func beginToJoin() -> Latch {
        let place = Latch(on: reactor, for: .subject(self))
        joiners.append(place)
        return place
    }

    /// Closes the queue: nothing can be put any more, and who waits to put gets `GreenletError` with code `closed`;
    /// so does who gets, once all elements are out, and iterations end. Never waits. gevent's shutdown.
    ///
    /// - Parameter discarding: whether the elements in the queue are dropped, as if they had been dealt with. A queue
    ///   that is closed already can still be closed so.
    public func close(discarding: Bool = false) {
        hasClosed = true
        putters.fail(with: closedError)
        if discarding, storage.count > 0 {
            let dropped = storage
            storage = Storage()
            // Fewer when somebody called taskDone() before taking an element.
            finish(Swift.min(dropped.count, unfinished))
        }
        guard storage.count == 0 else { return }
        getters.fail(with: closedError)
        peekers.fail(with: closedError)
    }
}
