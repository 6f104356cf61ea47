import Greenlets
public import ReactorCore

extension Reactor {
    /// Listens on a TCP address and runs `handler` in a greenlet of its own for each connection. Never waits; reactor only.
    ///
    /// ```swift
    /// let server = try reactor.serveTCP("127.0.0.1", port: 3001) { connection in
    ///     for try await line in connection.lines { try await connection.write("\(line)\r\n") }
    /// }
    /// ```
    /// When the handler returns or throws, what it wrote is sent and the connection closed. An error other than a
    /// `TransportError` goes to `onUncaughtError`. A lost connection does not kill its handler: its next read or write throws.
    /// - Parameters:
    ///   - host: an IP address, as for `listenTCP`.
    ///   - port: 0 takes a free one; `localAddress` of the result says which.
    ///   - limit: connections handled at a time; more wait in the kernel's queue. None by default.
    ///   - maxLineLength: the longest line that `readLine()` returns, in bytes.
    ///   - handler: an `async` closure.
    /// - Throws: `TransportError` with code `cannotListen`, naming the address and the cause.
    @ReactorActor @discardableResult
    public func serveTCP(
        _ host: String, port: Int, limit: Int? = nil, maxLineLength: Int = 16_384,
        options: TCPOptions = TCPOptions(),
        _ handler: @escaping @ReactorActor @Sendable (StreamConnection) async throws -> Void
    ) throws(TransportError) -> StreamServer {
        try serveTCP(
            host, port: port, limit: limit, maxLineLength: maxLineLength, options: options, wrap: { $0 },
            handler)
    }

    /// As the `async` form, with a synchronous handler, which runs on a stack of its own: its waiting calls look blocking.
    @ReactorActor @discardableResult
    public func serveTCP(
        _ host: String, port: Int, limit: Int? = nil, maxLineLength: Int = 16_384,
        options: TCPOptions = TCPOptions(),
        _ handler: @escaping @ReactorActor @Sendable (StreamConnection) throws -> Void
    ) throws(TransportError) -> StreamServer {
        try serveTCP(
            host, port: port, limit: limit, maxLineLength: maxLineLength, options: options, wrap: { $0 },
            handler)
    }

    /// As `serveTCP`, over what `wrap` makes of each connection's transport.
    @ReactorActor package func serveTCP(
        _ host: String, port: Int, limit: Int?, maxLineLength: Int, options: TCPOptions,
        wrap: @escaping @ReactorActor (any Transport) -> any Transport,
        _ handler: @escaping @ReactorActor @Sendable (StreamConnection) async throws -> Void
    ) throws(TransportError) -> StreamServer {
        try StreamServer(
            self, host: host, port: port, limit: limit, maxLineLength: maxLineLength, options: options,
            wrap: wrap
        ) { name, connection, handling in
            Greenlet.spawn(name: name) { () async throws -> Void in
                do {
                    try await handler(connection)
                    handling.handlerEnded(nil)
                } catch { handling.handlerEnded(error) }
            }
        }
    }

    /// As the `async` form.
    @ReactorActor package func serveTCP(
        _ host: String, port: Int, limit: Int?, maxLineLength: Int, options: TCPOptions,
        wrap: @escaping @ReactorActor (any Transport) -> any Transport,
        _ handler: @escaping @ReactorActor @Sendable (StreamConnection) throws -> Void
    ) throws(TransportError) -> StreamServer {
        try StreamServer(
            self, host: host, port: port, limit: limit, maxLineLength: maxLineLength, options: options,
            wrap: wrap
        ) { name, connection, handling in
            Greenlet.spawn(name: name) { () throws -> Void in
                do {
                    try handler(connection)
                    handling.handlerEnded(nil)
                } catch { handling.handlerEnded(error) }
            }
        }
    }

    /// Connects to a TCP server for the asynchronous style. Parks the calling task; throws as `connectTCP` with a protocol.
    @ReactorActor public func connectTCP(
        _ host: String, port: Int, timeout: Duration = .seconds(30), maxLineLength: Int = 16_384,
        options: TCPOptions = TCPOptions()
    ) async throws -> StreamConnection {
        let transport = try await connect(host, port: port, timeout: timeout, options: options)
        return transport.makeStream(on: self, maxLineLength: maxLineLength)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @ReactorActor public func connectTCP(
        _ host: String, port: Int, timeout: Duration = .seconds(30), maxLineLength: Int = 16_384,
        options: TCPOptions = TCPOptions()
    ) throws -> StreamConnection {
        try Greenlet.blockingCall {
            try await self.connectTCP(
                host, port: port, timeout: timeout, maxLineLength: maxLineLength, options: options)
        }
    }
}
