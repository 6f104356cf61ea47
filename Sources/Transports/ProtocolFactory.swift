public import NIOCore
public import ReactorCore

/// Makes the protocol of each accepted connection. A closure does for most servers; a type can keep shared state.
@ReactorActor
public protocol ProtocolFactory: Sendable {
    /// The protocol for a connection from `peer`, or nil to refuse it: its socket is closed at once.
    func makeProtocol(for peer: SocketAddress) -> (any ConnectionProtocol)?
}

/// A factory that calls a closure.
struct ClosureFactory: ProtocolFactory {
    let make: @ReactorActor @Sendable (SocketAddress) -> (any ConnectionProtocol)?

    func makeProtocol(for peer: SocketAddress) -> (any ConnectionProtocol)? { make(peer) }
}
