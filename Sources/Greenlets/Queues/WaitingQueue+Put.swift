public import ReactorCore

extension WaitingQueue {
    /// Puts `element` in; parks the calling task while there is no room.
    ///
    /// - Throws: `GreenletError` with code `closed` when the queue is closed, now or meanwhile; `CancellationError`
    ///   when the task is cancelled. The element is not in the queue then.
    @inlinable public func put(_ element: Element) async throws {
        if let place = try beginToPut(element) { try await place.waitUntilOpen() }
    }

    /// Puts `element` in; parks the calling task while there is no room, for `timeout` at most. Whether it is in.
    ///
    /// - Throws: as `put(_:)`.
    @inlinable public func put(_ element: Element, timeout: Duration?) async throws -> Bool {
        guard let place = try beginToPut(element) else { return true }
        return try await place.waitUntilOpen(timeout: timeout)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @inlinable public nonisolated func put(_ element: Element) throws {
        try Greenlet.inGreenlet {
            if let place = try beginToPut(element) { try Greenlet.wait(for: place) }
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @inlinable public nonisolated func put(_ element: Element, timeout: Duration?) throws -> Bool {
        try Greenlet.inGreenlet {
            guard let place = try beginToPut(element) else { return true }
            return try Greenlet.wait(for: place, timeout: timeout)
        }
    }

    /// Puts `element` in if there is room. Whether there was. Never waits.
    ///
    /// - Throws: `GreenletError` with code `closed`.
    @inlinable public func tryPut(_ element: Element) throws -> Bool {
        if isClosed { throw closedError }
        guard storage.count < room else { return false }
        accept(element)
        return true
    }

    /// Puts `element` in, soon, in the order of the calls of each thread. Any thread; never waits.
    ///
    /// A thread cannot wait here, so its elements go in though there is no room, before those of greenlets that wait
    /// for some. That the queue is closed goes to `reactor.onUncaughtError`.
    public nonisolated func putFromThread(_ element: Element) {
        reactor.callFromThread {
            if self.isClosed { throw self.closedError }
            self.accept(element)
        }
    }
}
