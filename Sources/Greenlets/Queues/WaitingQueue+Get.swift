public import ReactorCore

extension WaitingQueue {
    /// Takes an element; parks the calling task until there is one. One that is there is taken at once, without a
    /// look at who was cancelled or killed.
    ///
    /// - Throws: `GreenletError` with code `closed` when the queue is empty and closed, now or meanwhile;
    ///   `CancellationError` when the task is cancelled. It has taken no element then.
    @inlinable public func get() async throws -> Element {
        if let element = take() { return element }
        let place = try beginToGet()
        try await place.waitUntilOpen()
        return place.take()!  // set before the place is opened
    }

    /// Takes an element; parks the calling task until there is one, for `timeout` at most, and returns nil then.
    ///
    /// - Throws: as `get()`.
    @inlinable public func get(timeout: Duration?) async throws -> Element? {
        if let element = take() { return element }
        let place = try beginToGet()
        return try await place.waitUntilOpen(timeout: timeout) ? place.take() : nil
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @inlinable public nonisolated func get() throws -> Element {
        try Greenlet.inGreenlet {
            if let element = take() { return element }
            let place = try beginToGet()
            try Greenlet.wait(for: place)
            return place.take()!  // as above
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @inlinable public nonisolated func get(timeout: Duration?) throws -> Element? {
        try Greenlet.inGreenlet {
            if let element = take() { return element }
            let place = try beginToGet()
            return try Greenlet.wait(for: place, timeout: timeout) ? place.take() : nil
        }
    }

    /// Takes an element if there is one. Never waits.
    @inlinable public func tryGet() -> Element? { take() }

    /// The element that `get` would take, left where it is; parks the calling task until there is one, for `timeout` at
    /// most, and returns nil then. Who peeks takes nothing from who gets.
    ///
    /// - Throws: as `get()`.
    public func peek(timeout: Duration? = nil) async throws -> Element? {
        if let element = storage.first { return element }
        let place = try beginToPeek()
        return try await place.waitUntilOpen(timeout: timeout) ? place.take() : nil
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func peek(timeout: Duration? = nil) throws -> Element? {
        try Greenlet.inGreenlet {
            if let element = storage.first { return element }
            let place = try beginToPeek()
            return try Greenlet.wait(for: place, timeout: timeout) ? place.take() : nil
        }
    }

    /// The element that `get` would take, if there is one. Never waits.
    public func tryPeek() -> Element? { storage.first }

    /// An iterator; iterators of one queue share its elements.
    public nonisolated func makeAsyncIterator() -> Iterator { Iterator(queue: self) }

    /// Gets until the queue is empty and closed.
    public struct Iterator: AsyncIteratorProtocol {
        let queue: WaitingQueue

        /// The next element; nil once the queue is empty and closed.
        ///
        /// - Throws: `CancellationError` when the task is cancelled.
        @ReactorActor public mutating func next() async throws -> Element? {
            do { return try await queue.get() } catch let error as GreenletError where error.code == .closed {
                return nil
            }
        }
    }

    /// Runs `body` with element after element until the queue is empty and closed: `for try await`, for synchronous
    /// code in a greenlet.
    ///
    /// - Throws: what `body` throws; the killer's error; `GreenletError` with code `notInGreenlet`.
    public nonisolated func forEach(_ body: @ReactorActor (Element) throws -> Void) throws {
        try Greenlet.inGreenlet {
            while true {
                let element: Element
                do { element = try get() } catch let error as GreenletError where error.code == .closed {
                    return
                }
                try body(element)
            }
        }
    }
}
