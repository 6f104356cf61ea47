public import Greenlets

// The calls that wait, for synchronous code in a greenlet: each throws what its `async` form does, the killer's error, and
// `GreenletError` with code `notInGreenlet`.

extension TLSStream {
    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated static func wrap(
        _ socket: GreenSocket, context: TLSContext, serverName: String? = nil, timeout: Duration? = nil
    ) throws -> TLSStream {
        try Greenlet.blockingCall {
            try await TLSStream.wrap(socket, context: context, serverName: serverName, timeout: timeout)
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated static func connect(
        to host: String, port: Int, context: TLSContext, serverName: String? = nil, timeout: Duration? = nil
    ) throws -> TLSStream {
        try Greenlet.blockingCall {
            try await TLSStream.connect(
                to: host, port: port, context: context, serverName: serverName, timeout: timeout)
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func receive(atMost limit: Int = 65_536, timeout: Duration? = nil) throws -> [UInt8] {
        try Greenlet.blockingCall { try await self.receive(atMost: limit, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func receive(exactly count: Int, timeout: Duration? = nil) throws -> [UInt8] {
        try Greenlet.blockingCall { try await self.receive(exactly: count, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func receiveToEnd(atMost limit: Int = .max, timeout: Duration? = nil) throws -> [UInt8]
    {
        try Greenlet.blockingCall { try await self.receiveToEnd(atMost: limit, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func receiveLine(atMost limit: Int = 65_536, timeout: Duration? = nil) throws
        -> [UInt8]?
    {
        try Greenlet.blockingCall { try await self.receiveLine(atMost: limit, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func sendAll(_ bytes: [UInt8], timeout: Duration? = nil) throws {
        try Greenlet.blockingCall { try await self.sendAll(bytes, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func sendAll(_ text: String, timeout: Duration? = nil) throws {
        try Greenlet.blockingCall { try await self.sendAll(text, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func closeWriting(timeout: Duration? = nil) throws {
        try Greenlet.blockingCall { try await self.closeWriting(timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func unwrap(timeout: Duration? = nil) throws -> GreenSocket {
        try Greenlet.blockingCall { try await self.unwrap(timeout: timeout) }
    }
}
