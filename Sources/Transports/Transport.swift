public import NIOCore
public import ReactorCore

/// Something that can be asked to stop producing bytes for a while. Follows Twisted's `IPushProducer`.
@ReactorActor
public protocol PushProducer: AnyObject, Sendable {
    /// Stop until `resumeProducing()`. May be called when paused already.
    func pauseProducing()
    /// Go on.
    func resumeProducing()
    /// Nobody wants more, ever: the consumer is gone.
    func stopProducing()
}

/// One end of a connection, as its protocol sees it. Reactor only; no call waits, none calls back before it returns to the loop.
///
/// A transport produces the peer's bytes (pause it to stop them) and consumes ours. Writes are never refused: whoever
/// produces without end registers as a producer and is paused while more than `highWaterMark` bytes are unsent.
@ReactorActor
public protocol Transport: PushProducer {
    /// The address of this end.
    var host: SocketAddress { get }
    /// The address of the other end.
    var peer: SocketAddress { get }
    /// Whether the connection is ending or over: since `loseConnection()`, `abortConnection()` or its loss. Writes are
    /// ignored then.
    var isDisconnecting: Bool { get }
    /// Bytes written and not yet taken by the system.
    var unsentByteCount: Int { get }
    /// A producer is paused when more bytes than this are unsent; 65,536 unless configured.
    var highWaterMark: Int { get }

    /// Sends bytes behind those written before. Ignored when `isDisconnecting`, or after `loseWriteConnection()`.
    func write(_ bytes: ByteBuffer)

    /// Sends what was written, then closes; no more bytes are received. Again: nothing.
    ///
    /// It does not wait for a registered producer to produce more. A peer that never reads keeps the connection open; follow
    /// with `abortConnection()` after a while where that matters.
    func loseConnection()

    /// Sends what was written, then tells the peer that no more will come. Receiving goes on.
    func loseWriteConnection()

    /// Closes at once: drops what is unsent, and tells the peer by a reset where the medium can. Again: nothing.
    func abortConnection()

    /// Receive nothing until `resumeProducing()`, not even the end of the connection.
    func pauseProducing()

    /// Receive again. Nothing when the connection is ending.
    func resumeProducing()

    /// Makes `producer` heed how much is unsent: paused above `highWaterMark`, resumed when all is sent, stopped when the
    /// connection ends; stopped at once when it has ended. Held strongly until `unregisterProducer()` or the end.
    /// - Precondition: none is registered.
    func registerProducer(_ producer: any PushProducer)

    /// Ends `registerProducer`. Does nothing when there is none.
    func unregisterProducer()

    /// Gives the connection to a protocol that takes its bytes from now on: sets its `transport` and calls its
    /// `connectionMade`. Endpoints call this; applications do to switch protocols in mid-connection.
    func attach(_ connectionProtocol: any ConnectionProtocol)
}

extension Transport {
    /// Sends a string's UTF-8.
    public func write(_ text: String) { write(ByteBuffer(string: text)) }

    /// Sends bytes.
    public func write(contentsOf bytes: some Sequence<UInt8>) { write(ByteBuffer(bytes: bytes)) }

    /// A transport that nobody reads is closed.
    public func stopProducing() { loseConnection() }
}
