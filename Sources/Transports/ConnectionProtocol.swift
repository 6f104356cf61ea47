public import NIOCore
public import ReactorCore

/// What an application makes of one connection: callbacks, in this order, all on the reactor.
///
/// `connectionMade` once, `dataReceived` any number of times, `connectionLost` exactly once and last. A callback cannot
/// throw and must not block: hand work that waits to a greenlet. Calls made on the transport from inside a callback never
/// call back into the protocol before the callback has returned.
///
/// ```swift
/// final class Echo: ConnectionProtocol {
///     var transport: (any Transport)?
///     func dataReceived(_ data: ByteBuffer) { transport?.write(data) }
/// }
/// ```
/// Follows Twisted's `Protocol`.
@ReactorActor
public protocol ConnectionProtocol: AnyObject, Sendable {
    /// The connection's transport. Set before `connectionMade` and kept after `connectionLost`, when writes are ignored.
    var transport: (any Transport)? { get set }

    /// The connection stands. Does nothing by default.
    func connectionMade()

    /// Bytes came, at least one. How the peer's writes were cut or joined on the way has no meaning.
    func dataReceived(_ data: ByteBuffer)

    /// The connection is over and its descriptor closed. Does nothing by default.
    func connectionLost(_ reason: ConnectionEnd)

    /// The server stops: end the connection as soon as the work at hand is answered. Calls `loseConnection()` by default.
    ///
    /// A protocol that answers later than it reads overrides this, or unanswered requests are cut off.
    func serverWillStop()
}

extension ConnectionProtocol {
    /// Does nothing.
    public func connectionMade() {}

    /// Does nothing.
    public func connectionLost(_ reason: ConnectionEnd) {}

    /// Closes the connection when everything written is sent.
    public func serverWillStop() { transport?.loseConnection() }
}

/// A protocol that wants to know when the peer stops sending but may still be reading (a half-closed connection).
///
/// Without it the end of the peer's bytes ends the connection: what was written is flushed, then `connectionLost(.done)`.
/// Follows Twisted's `IHalfCloseableProtocol`.
@ReactorActor
public protocol HalfCloseableProtocol: ConnectionProtocol {
    /// The peer will send no more. Writing goes on; call `loseConnection()` to end.
    func readConnectionLost()
}
