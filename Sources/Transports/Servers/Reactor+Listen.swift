public import NIOCore
public import ReactorCore

extension Reactor {
    /// Listens on a TCP address and gives every connection a protocol of its own. Reactor only; never waits.
    ///
    /// ```swift
    /// let port = try reactor.listenTCP("127.0.0.1", port: 3000) { Echo() }
    /// ```
    /// - Parameters:
    ///   - host: an IP address; `localhost` is 127.0.0.1, `0.0.0.0` and `::` are every interface. Other names are not
    ///     looked up.
    ///   - port: 0 takes a free one; `localAddress` of the result says which.
    ///   - makeProtocol: makes the protocol of a connection; nil refuses it.
    /// - Throws: `TransportError` with code `cannotListen`, naming the address and the cause.
    @ReactorActor @discardableResult
    public func listenTCP(
        _ host: String, port: Int, options: TCPOptions = .accepted,
        _ makeProtocol: @escaping @ReactorActor @Sendable () -> (any ConnectionProtocol)?
    ) throws(TransportError) -> ListeningPort {
        let factory = ClosureFactory { _ in makeProtocol() }
        return try ListeningPort(self, host: host, port: port, options: options, factory: factory)
    }

    /// As the closure form, with the peer's address given to the closure.
    @ReactorActor @discardableResult
    public func listenTCP(
        _ host: String, port: Int, options: TCPOptions = .accepted,
        _ makeProtocol: @escaping @ReactorActor @Sendable (_ peer: SocketAddress) -> (any ConnectionProtocol)?
    ) throws(TransportError) -> ListeningPort {
        let factory = ClosureFactory(make: makeProtocol)
        return try ListeningPort(self, host: host, port: port, options: options, factory: factory)
    }

    /// As the closure form, with a factory object.
    @ReactorActor @discardableResult
    public func listenTCP(
        _ host: String, port: Int, options: TCPOptions = .accepted, factory: any ProtocolFactory
    ) throws(TransportError) -> ListeningPort {
        try ListeningPort(self, host: host, port: port, options: options, factory: factory)
    }
}
