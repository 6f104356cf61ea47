import Greenlets
import NIOCore
public import ReactorCore
public import Transports

extension Reactor {
    /// Listens on a TCP address and speaks TLS with every connection. As `listenTCP`; a protocol's `connectionMade` comes after
    /// the handshake, and a connection whose handshake fails has no protocol.
    ///
    /// - Parameter context: made by `TLSContext.server(certificateChainFile:privateKeyFile:)`.
    /// - Throws: `TransportError` with code `cannotListen`, naming the address and the cause.
    @ReactorActor @discardableResult
    public func listenTLS(
        _ host: String, port: Int, context: TLSContext, options: TCPOptions = .accepted,
        _ makeProtocol: @escaping @ReactorActor @Sendable () -> (any ConnectionProtocol)?
    ) throws(TransportError) -> ListeningPort {
        try listenTCP(host, port: port, options: options) { () -> (any ConnectionProtocol)? in
            TLSStarter { transport in
                let tls = TLSTransport(over: transport, context: context)
                guard let connectionProtocol = makeProtocol() else { return tls.abortConnection() }
                tls.attach(connectionProtocol)
            }
        }
    }

    /// Connects to a TLS server and gives the connection to a new protocol. Parks the calling task; reactor only.
    ///
    /// - Parameters:
    ///   - context: made by `TLSContext.client(trustRootsFile:verify:)`.
    ///   - serverName: the name that the certificate must be for; `host` by default.
    ///   - timeout: for everything: look-up, connection and handshake.
    /// - Returns: the protocol, after its `connectionMade`.
    /// - Throws: as `connectTCP`, and `TransportError` with code `handshakeFailed`: untrusted or wrong certificate, no common
    ///   version. In each case nothing stays open.
    @ReactorActor public func connectTLS<P: ConnectionProtocol>(
        _ host: String, port: Int, context: TLSContext, serverName: String? = nil,
        timeout: Duration = .seconds(30), options: TCPOptions = TCPOptions(),
        _ makeProtocol: @ReactorActor () -> P
    ) async throws -> P {
        let tls = try await connectTLSTransport(
            host, port: port, context: context, serverName: serverName, timeout: timeout, options: options)
        let connectionProtocol = makeProtocol()
        tls.attach(connectionProtocol)
        return connectionProtocol
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @ReactorActor public func connectTLS<P: ConnectionProtocol>(
        _ host: String, port: Int, context: TLSContext, serverName: String? = nil,
        timeout: Duration = .seconds(30), options: TCPOptions = TCPOptions(),
        _ makeProtocol: @ReactorActor () -> P
    ) throws -> P {
        try Greenlet.blockingCall {
            try await self.connectTLS(
                host, port: port, context: context, serverName: serverName, timeout: timeout,
                options: options,
                makeProtocol)
        }
    }

    /// Connects to a TLS server for the asynchronous style. Parks the calling task; throws as `connectTLS` with a protocol.
    @ReactorActor public func connectTLS(
        _ host: String, port: Int, context: TLSContext, serverName: String? = nil,
        timeout: Duration = .seconds(30), maxLineLength: Int = 16_384, options: TCPOptions = TCPOptions()
    ) async throws -> StreamConnection {
        let tls = try await connectTLSTransport(
            host, port: port, context: context, serverName: serverName, timeout: timeout, options: options)
        return tls.makeStream(on: self, maxLineLength: maxLineLength)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @ReactorActor public func connectTLS(
        _ host: String, port: Int, context: TLSContext, serverName: String? = nil,
        timeout: Duration = .seconds(30), maxLineLength: Int = 16_384, options: TCPOptions = TCPOptions()
    ) throws -> StreamConnection {
        try Greenlet.blockingCall {
            try await self.connectTLS(
                host, port: port, context: context, serverName: serverName, timeout: timeout,
                maxLineLength: maxLineLength, options: options)
        }
    }

    /// Listens on a TCP address, speaks TLS with every connection and runs `handler` in a greenlet of its own for each. As
    /// `serveTCP`; a handler begins after the handshake, and a connection whose handshake fails has none.
    ///
    /// - Parameter context: made by `TLSContext.server(certificateChainFile:privateKeyFile:)`.
    /// - Throws: `TransportError` with code `cannotListen`, naming the address and the cause.
    @ReactorActor @discardableResult
    public func serveTLS(
        _ host: String, port: Int, context: TLSContext, limit: Int? = nil, maxLineLength: Int = 16_384,
        options: TCPOptions = TCPOptions(),
        _ handler: @escaping @ReactorActor @Sendable (StreamConnection) async throws -> Void
    ) throws(TransportError) -> StreamServer {
        try serveTCP(
            host, port: port, limit: limit, maxLineLength: maxLineLength, options: options,
            wrap: { TLSTransport(over: $0, context: context) }, handler)
    }

    /// As the `async` form, with a synchronous handler, which runs on a stack of its own: its waiting calls look blocking.
    @ReactorActor @discardableResult
    public func serveTLS(
        _ host: String, port: Int, context: TLSContext, limit: Int? = nil, maxLineLength: Int = 16_384,
        options: TCPOptions = TCPOptions(),
        _ handler: @escaping @ReactorActor @Sendable (StreamConnection) throws -> Void
    ) throws(TransportError) -> StreamServer {
        try serveTCP(
            host, port: port, limit: limit, maxLineLength: maxLineLength, options: options,
            wrap: { TLSTransport(over: $0, context: context) }, handler)
    }

    /// A connection whose handshake is done and which has no protocol yet.
    @ReactorActor private func connectTLSTransport(
        _ host: String, port: Int, context: TLSContext, serverName: String?, timeout: Duration,
        options: TCPOptions
    ) async throws -> TLSTransport {
        let deadline = now.advanced(by: timeout)
        let transport = try await connect(host, port: port, timeout: timeout, options: options)
        let tls = TLSTransport(
            over: transport, context: context, serverName: serverName ?? host,
            handshakeTimeout: max(.zero, now.duration(to: deadline)))
        do {
            try await tls.waitUntilReady()
        } catch {
            tls.abortConnection()
            throw error
        }
        return tls
    }
}

/// The first protocol of an accepted connection: hands it to TLS at once.
@ReactorActor
private final class TLSStarter: ConnectionProtocol {
    var transport: (any Transport)?
    private let start: @ReactorActor (any Transport) -> Void

    init(_ start: @escaping @ReactorActor (any Transport) -> Void) { self.start = start }

    func connectionMade() { if let transport { start(transport) } }
    func dataReceived(_ data: ByteBuffer) {}
}
