public import NIOCore
public import ReactorCore
public import Transports

/// A transport that leads nowhere: a protocol's test sees what was written, and says what comes.
///
/// ```swift
/// let transport = StringTransport()
/// transport.attach(Greeter())
/// transport.receive("world\r\n")
/// #expect(transport.text == "Hello, world\r\n")
/// ```
/// Everything happens inside the call, without a turn of the reactor. What was written stays after
/// `loseConnection()`, which only sets `isDisconnecting`: the test plays the network and calls `end(_:)`, until which transport and
/// protocol hold each other. For two ends that talk, `MemoryTransport`. Follows Twisted's `StringTransport`.
@ReactorActor
public final class StringTransport: Transport {
    /// The address of this end.
    public let host: SocketAddress
    /// The address of the other end.
    public let peer: SocketAddress
    /// Unsent bytes above which a producer is paused.
    public let highWaterMark: Int
    /// Whether `loseConnection()` or `abortConnection()` was called, or the connection ended.
    public private(set) var isDisconnecting = false
    /// Whether `abortConnection()` was called.
    public private(set) var isAborted = false
    /// Whether `loseWriteConnection()` was called.
    public private(set) var hasEndedWriting = false
    /// Whether the protocol wants no bytes now.
    public private(set) var isPaused = false
    /// Everything written, since the beginning or the last `clear()`.
    public private(set) var written = ByteBuffer()
    /// What the protocol registered.
    public private(set) var producer: (any PushProducer)?
    /// The protocol that has the connection.
    public private(set) var connectionProtocol: (any ConnectionProtocol)?
    /// Writes count as unsent while this is set, until `drain()`.
    public var isBlocked = false
    /// Bytes written while blocked.
    public private(set) var unsentByteCount = 0
    private var isFull = false

    /// A transport whose ends have documentation addresses (RFC 5737).
    public init(highWaterMark: Int = 65_536) {
        self.highWaterMark = highWaterMark
        // Cannot fail: both are literal addresses.
        host = try! SocketAddress(ipAddress: "192.0.2.1", port: 80)
        peer = try! SocketAddress(ipAddress: "192.0.2.2", port: 54_321)
    }

    /// What was written, as text.
    public var text: String { String(decoding: written.readableBytesView, as: UTF8.self) }

    /// Forgets what was written.
    public func clear() { written.clear() }

    // MARK: The network's part

    /// Bytes come from the peer. Paused or ending, the protocol does not get them.
    public func receive(_ bytes: ByteBuffer) {
        guard !isPaused, !isDisconnecting else { return }
        connectionProtocol?.dataReceived(bytes)
    }

    /// Text comes from the peer.
    public func receive(_ text: String) { receive(ByteBuffer(string: text)) }

    /// Everything unsent is sent; a paused producer goes on.
    public func drain() {
        unsentByteCount = 0
        guard isFull else { return }
        isFull = false
        producer?.resumeProducing()
    }

    /// The connection is over.
    public func end(_ reason: ConnectionEnd = .done) {
        isDisconnecting = true
        let (told, stopped) = (connectionProtocol, producer)
        (connectionProtocol, producer) = (nil, nil)
        stopped?.stopProducing()
        told?.connectionLost(reason)
    }

    // MARK: Transport

    /// Gives the connection to a protocol.
    public func attach(_ connectionProtocol: any ConnectionProtocol) {
        self.connectionProtocol = connectionProtocol
        connectionProtocol.transport = self
        connectionProtocol.connectionMade()
    }

    /// Adds to `written`.
    public func write(_ bytes: ByteBuffer) {
        guard !isDisconnecting, !hasEndedWriting else { return }
        written.writeImmutableBuffer(bytes)
        guard isBlocked else { return }
        unsentByteCount += bytes.readableBytes
        guard !isFull, unsentByteCount > highWaterMark else { return }
        isFull = true
        producer?.pauseProducing()
    }

    /// Sets `isDisconnecting`.
    public func loseConnection() { isDisconnecting = true }

    /// Sets `hasEndedWriting`.
    public func loseWriteConnection() { hasEndedWriting = true }

    /// Sets `isDisconnecting` and `isAborted`.
    public func abortConnection() {
        isDisconnecting = true
        isAborted = true
    }

    /// Sets `isPaused`.
    public func pauseProducing() { isPaused = true }

    /// Clears `isPaused`.
    public func resumeProducing() { isPaused = false }

    /// Sets `producer`.
    public func registerProducer(_ producer: any PushProducer) {
        precondition(self.producer == nil, "a producer is registered already")
        guard !isDisconnecting else { return producer.stopProducing() }
        self.producer = producer
        if isFull { producer.pauseProducing() }
    }

    /// Clears `producer`.
    public func unregisterProducer() { producer = nil }
}
