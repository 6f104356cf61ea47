public import ReactorCore

extension Reactor {
    /// As the `async` form, for synchronous code in a greenlet.
    ///
    /// - Throws: as the `async` form; the killer's error; `GreenletError` with code `notInGreenlet`.
    public nonisolated func waitUntilReadable(_ fd: Int32, timeout: Duration? = nil) throws {
        try Greenlet.blockingCall { try await self.waitUntilReadable(fd, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet; throws as `waitUntilReadable`.
    public nonisolated func waitUntilWritable(_ fd: Int32, timeout: Duration? = nil) throws {
        try Greenlet.blockingCall { try await self.waitUntilWritable(fd, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet; throws as `waitUntilReadable`.
    public nonisolated func waitUntilReadableOrWritable(_ fd: Int32, timeout: Duration? = nil) throws
        -> ReadySet
    {
        try Greenlet.blockingCall { try await self.waitUntilReadableOrWritable(fd, timeout: timeout) }
    }
}
