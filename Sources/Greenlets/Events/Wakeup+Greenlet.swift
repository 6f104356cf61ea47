public import ReactorCore

extension Wakeup {
    /// As the `async` form, for synchronous code in a greenlet.
    ///
    /// - Throws: as the `async` form; the killer's error; `GreenletError` with code `notInGreenlet`.
    public func wait(timeout: Duration? = nil) throws -> Bool {
        try Greenlet.blockingCall { try await self.wait(timeout: timeout) }
    }
}
