public import NIOCore
public import ReactorCore
public import Transports

/// One of two ends of a connection that exists only in memory, with a TCP connection's behaviour: bytes move
/// in the turns of the reactor, at most `capacity` of them are under way, ends may close in halves, be
/// aborted, or be cut off.
///
/// ```swift
/// let (client, server) = MemoryTransport.pair()
/// server.attach(Echo())
/// client.attach(recorder)
/// ```
/// It keeps `Transport`'s contract (`TransportContract`), so what works on it works on a socket.
@ReactorActor
public final class MemoryTransport: Transport {
    private enum State { case open, flushing, closed }

    /// The address of this end.
    public let host: SocketAddress
    /// The address of the other end.
    public let peer: SocketAddress
    /// Unsent bytes above which a producer is paused.
    public let highWaterMark: Int
    /// Sees every piece before it reaches the other end, and may change it or, by nil, lose it.
    public var tamper: (@ReactorActor (ByteBuffer) -> ByteBuffer?)?

    private let reactor: Reactor
    private let capacity: Int
    private weak var other: MemoryTransport?
    private var state = State.open
    private var connectionProtocol: (any ConnectionProtocol)?
    private var producer: (any PushProducer)?
    private var unsent = ByteBuffer()
    /// On the way to this end.
    private var incoming = ByteBuffer()
    private var isScheduled = false
    private var isPaused = false
    private var isFull = false
    private var inputHasEnded = false
    private var outputIsEnding = false
    private var outputHasEnded = false
    /// The peer's end, or a reset, is on the way behind `incoming`.
    private var endIsIncoming = false
    private var resetIsIncoming = false

    /// Two connected ends.
    /// - Parameter capacity: bytes that may be under way in each direction.
    public static func pair(
        on reactor: Reactor = .current, capacity: Int = 65_536, highWaterMark: Int = 65_536
    ) -> (client: MemoryTransport, server: MemoryTransport) {
        // Cannot fail: both are literal addresses, from the range for documentation (RFC 5737).
        let clientAddress = try! SocketAddress(ipAddress: "192.0.2.2", port: 54_321)
        let serverAddress = try! SocketAddress(ipAddress: "192.0.2.1", port: 80)
        let client = MemoryTransport(
            reactor, capacity, highWaterMark, host: clientAddress, peer: serverAddress)
        let server = MemoryTransport(
            reactor, capacity, highWaterMark, host: serverAddress, peer: clientAddress)
        client.other = server
        server.other = client
        return (client, server)
    }

    private init(
        _ reactor: Reactor, _ capacity: Int, _ highWaterMark: Int, host: SocketAddress, peer: SocketAddress
    ) {
        self.reactor = reactor
        self.capacity = capacity
        self.highWaterMark = highWaterMark
        self.host = host
        self.peer = peer
    }

    /// Cuts the cable: both ends lose the connection, and with it what is under way.
    public func cut() {
        for end in [self, other] {
            end?.incoming.clear()
            end?.unsent.clear()
            end?.resetIsIncoming = true
            end?.isPaused = false
            end?.schedule()
        }
    }

    // MARK: Transport

    /// Whether the connection is ending or over.
    public var isDisconnecting: Bool { state != .open }

    /// Bytes written and not yet under way.
    public var unsentByteCount: Int { unsent.readableBytes }

    /// Gives the connection to a protocol and begins to receive.
    public func attach(_ connectionProtocol: any ConnectionProtocol) {
        self.connectionProtocol = connectionProtocol
        connectionProtocol.transport = self
        connectionProtocol.connectionMade()
        schedule()
    }

    /// Sends bytes in a coming turn.
    public func write(_ bytes: ByteBuffer) {
        guard state == .open, !outputIsEnding else { return }
        unsent.writeImmutableBuffer(bytes)
        if !isFull, unsent.readableBytes > highWaterMark {
            isFull = true
            producer?.pauseProducing()
        }
        schedule()
    }

    /// Sends what was written, then closes.
    public func loseConnection() {
        guard state == .open else { return }
        state = .flushing
        schedule()
    }

    /// Sends what was written, then the end of our bytes.
    public func loseWriteConnection() {
        outputIsEnding = true
        schedule()
    }

    /// Drops what is unsent and closes; the other end loses the connection.
    public func abortConnection() {
        guard state != .closed else { return }
        other?.resetIsIncoming = true
        other?.incoming.clear()
        other?.schedule()
        state = .closed
        reactor.callLater(.zero) { [self] in tellEnd(.aborted) }
    }

    /// Receives nothing until `resumeProducing()`.
    public func pauseProducing() { isPaused = true }

    /// Receives again.
    public func resumeProducing() {
        isPaused = false
        schedule()
    }

    /// Makes `producer` heed how much is unsent.
    public func registerProducer(_ producer: any PushProducer) {
        precondition(self.producer == nil, "a producer is registered already")
        guard !isDisconnecting else { return producer.stopProducing() }
        self.producer = producer
        if isFull { producer.pauseProducing() }
    }

    /// Ends `registerProducer`.
    public func unregisterProducer() { producer = nil }

    // MARK: One turn

    private func schedule() {
        guard !isScheduled, state != .closed else { return }
        isScheduled = true
        reactor.callLater(.zero) { [self] in
            isScheduled = false
            guard state != .closed else { return }
            send()
            receive()
        }
    }

    private func send() {
        if unsent.readableBytes > 0 {
            guard let other, other.state != .closed, !other.isDeaf else { return end(.lost(lost)) }
            let room = max(0, capacity - other.incoming.readableBytes)
            if let piece = unsent.readSlice(length: min(room, unsent.readableBytes)), piece.readableBytes > 0
            {
                if let piece = tamper.map({ $0(piece) }) ?? piece {
                    other.incoming.writeImmutableBuffer(piece)
                }
                other.schedule()
            }
            guard unsent.readableBytes == 0 else { return }
            unsent.clear()
        }
        if isFull {
            isFull = false
            producer?.resumeProducing()
        }
        if outputIsEnding, !outputHasEnded, unsent.readableBytes == 0 {
            outputHasEnded = true
            other?.endIsIncoming = true
            other?.schedule()
            if inputHasEnded { return end(.done) }
        }
        if state == .flushing, unsent.readableBytes == 0 { end(.done) }
    }

    /// It has ended in order and takes no more bytes, as a closed socket: they would be answered by a reset.
    private var isDeaf: Bool { state == .flushing && unsent.readableBytes == 0 }

    private func receive() {
        guard state == .open, !isPaused, !inputHasEnded, let connectionProtocol else { return }
        if let bytes = incoming.readSlice(length: min(65_536, incoming.readableBytes)),
            bytes.readableBytes > 0
        {
            if incoming.readableBytes == 0 { incoming.clear() }
            // There is room now, and perhaps more to receive.
            other?.schedule()
            schedule()
            connectionProtocol.dataReceived(bytes)
        } else if resetIsIncoming {
            end(.lost(lost))
        } else if endIsIncoming {
            inputHasEnded = true
            if let half = connectionProtocol as? any HalfCloseableProtocol, !outputHasEnded {
                half.readConnectionLost()
            } else {
                state = .flushing
                schedule()
            }
        }
    }

    private var lost: TransportError {
        TransportError(.connectionLost, "the connection with \(peer.hostAndPort) was lost")
    }

    private func end(_ reason: ConnectionEnd) {
        state = .closed
        if reason.isClean { other?.endIsIncoming = true } else { other?.resetIsIncoming = true }
        other?.schedule()
        tellEnd(reason)
    }

    private func tellEnd(_ reason: ConnectionEnd) {
        unsent.clear()
        incoming.clear()
        let (told, stopped) = (connectionProtocol, producer)
        (connectionProtocol, producer) = (nil, nil)
        stopped?.stopProducing()
        told?.connectionLost(reason)
    }
}
