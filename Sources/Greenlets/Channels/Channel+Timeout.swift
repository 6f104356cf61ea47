public import ReactorCore

extension Channel {
    /// Hands `element` to a receiver; parks the calling task until there is one, for `timeout` at most. Whether there
    /// was.
    ///
    /// - Throws: as `send(_:)`.
    @inlinable public func send(_ element: Element, timeout: Duration?) async throws -> Bool {
        guard let place = try beginToSend(element) else { return true }
        return try await place.waitUntilOpen(timeout: timeout)
    }

    /// Takes an element from a sender; parks the calling task until there is one, for `timeout` at most, and returns
    /// nil then.
    ///
    /// - Throws: as `receive()`.
    @inlinable public func receive(timeout: Duration?) async throws -> Element? {
        if let element = takeFromSender() { return element }
        let place = try beginToReceive()
        return try await place.waitUntilOpen(timeout: timeout) ? place.value : nil
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @inlinable public nonisolated func send(_ element: Element, timeout: Duration?) throws -> Bool {
        try Greenlet.inGreenlet {
            guard let place = try beginToSend(element) else { return true }
            return try Greenlet.wait(for: place, timeout: timeout)
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @inlinable public nonisolated func receive(timeout: Duration?) throws -> Element? {
        try Greenlet.inGreenlet {
            if let element = takeFromSender() { return element }
            let place = try beginToReceive()
            return try Greenlet.wait(for: place, timeout: timeout) ? place.value : nil
        }
    }

    /// Runs `body` with element after element until the channel is closed: `for try await`, for synchronous code in a
    /// greenlet.
    ///
    /// - Throws: what `body` throws; the killer's error; `GreenletError` with code `notInGreenlet`.
    public nonisolated func forEach(_ body: @ReactorActor (Element) throws -> Void) throws {
        try Greenlet.inGreenlet {
            while true {
                let element: Element
                do { element = try receive() } catch let error as GreenletError where error.code == .closed {
                    return
                }
                try body(element)
            }
        }
    }
}
