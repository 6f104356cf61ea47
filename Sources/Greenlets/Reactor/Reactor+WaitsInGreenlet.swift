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

    /// As the `async` form, for synchronous code in a greenlet.
    ///
    /// - Throws: as the `async` form; the killer's error; `GreenletError` with code `notInGreenlet`.
    public nonisolated func resolve(
        host: String, port: Int, family: AddressFamily = .any, timeout: Duration? = .seconds(60),
        until deadline: ReactorInstant? = nil
    ) throws -> [ResolvedAddress] {
        try Greenlet.blockingCall {
            try await self.resolve(
                host: host, port: port, family: family, timeout: timeout, until: deadline)
        }
    }
}
