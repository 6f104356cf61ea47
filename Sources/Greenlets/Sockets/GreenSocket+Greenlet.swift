import ReactorCore

// The calls that wait, for synchronous code in a greenlet: each throws what its `async` form does, the killer's error, and
// `GreenletError` with code `notInGreenlet`.

extension GreenSocket {
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
    public nonisolated func receiveFrom(atMost limit: Int = 65_536, timeout: Duration? = nil) throws
        -> Datagram
    {
        try Greenlet.blockingCall { try await self.receiveFrom(atMost: limit, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func send(_ bytes: [UInt8], timeout: Duration? = nil) throws -> Int {
        try Greenlet.blockingCall { try await self.send(bytes, timeout: timeout) }
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
    public nonisolated func send(_ bytes: [UInt8], to address: Address, timeout: Duration? = nil) throws {
        try Greenlet.blockingCall { try await self.send(bytes, to: address, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func connect(to address: Address, timeout: Duration? = nil) throws {
        try Greenlet.blockingCall { try await self.connect(to: address, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func accept(timeout: Duration? = nil) throws -> GreenSocket {
        try Greenlet.blockingCall { try await self.accept(timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated static func connect(
        to host: String, port: Int, timeout: Duration? = nil, from source: Address? = nil
    ) throws -> GreenSocket {
        try Greenlet.blockingCall {
            try await GreenSocket.connect(to: host, port: port, timeout: timeout, from: source)
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated static func connect(
        to address: Address, timeout: Duration? = nil, from source: Address? = nil
    ) throws -> GreenSocket {
        try Greenlet.blockingCall {
            try await GreenSocket.connect(to: address, timeout: timeout, from: source)
        }
    }
}
