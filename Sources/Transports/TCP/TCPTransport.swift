import Glibc
public import NIOCore
public import ReactorCore

/// A TCP connection.
///
/// Writes go to the socket at once where it takes them; those made inside one of the protocol's callbacks are sent
/// together when it returns. Receiving is bounded to 64 KiB a turn. Closing sends everything first and, when the peer is
/// still sending, takes and drops its bytes for a short while: closing at once would reset the connection and could
/// destroy our last bytes on their way.
@ReactorActor
public final class TCPTransport: Transport {
    private enum State {
        /// Bytes go both ways.
        case open
        /// `loseConnection` was called or the peer ended: left when everything is sent.
        case flushing
        /// Everything is sent and our end told; left when the peer ends or `lingerTime` is over.
        case lingering
        /// The descriptor is closed.
        case closed
    }

    /// The address of this end.
    public let host: SocketAddress
    /// The address of the other end.
    public let peer: SocketAddress
    /// Unsent bytes above which a producer is paused.
    public var highWaterMark: Int { options.highWaterMark }
    /// Bytes written and not yet taken by the system.
    public var unsentByteCount: Int { output.byteCount }
    /// Whether the connection is ending or over.
    public var isDisconnecting: Bool { state != .open }

    let reactor: Reactor
    /// Called once, after `connectionLost`.
    var onEnd: (@ReactorActor (TCPTransport) -> Void)?
    private(set) var connectionProtocol: (any ConnectionProtocol)?

    private let fd: Int32
    private let options: TCPOptions
    private var state = State.open
    private var output = WriteQueue()
    private var producer: (any PushProducer)?
    private var lingerTimer: DelayedCall?
    /// The protocol asked for a pause.
    private var isPaused = false
    /// More than the high-water mark was unsent and not all of it is sent yet.
    private var isFull = false
    /// The peer will send no more.
    private var inputHasEnded = false
    /// `loseWriteConnection` was called.
    private var outputIsEnding = false
    private var outputHasEnded = false
    private var isReading = false
    private var isWriting = false
    /// A callback of the protocol runs: writes are gathered, and nothing calls back.
    private var isInCallback = false

    /// Takes over a connected, non-blocking socket. Nothing happens before `attach(_:)`.
    init(_ reactor: Reactor, fd: Int32, host: SocketAddress, peer: SocketAddress, options: TCPOptions) {
        self.reactor = reactor
        self.fd = fd
        self.host = host
        self.peer = peer
        self.options = options
        if options.sendsAtOnce { Socket.setNoDelay(fd) }
        if options.probesWhenIdle { Socket.setOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1) }
    }

    // MARK: Transport

    /// Gives the connection to a protocol and begins to receive.
    public func attach(_ connectionProtocol: any ConnectionProtocol) {
        self.connectionProtocol = connectionProtocol
        connectionProtocol.transport = self
        callBack { $0.connectionMade() }
        updateReading()
    }

    /// Sends bytes behind those written before.
    public func write(_ bytes: ByteBuffer) {
        guard state == .open, !outputIsEnding else { return }
        output.append(bytes)
        // While the writer is registered the socket is full; it will call when it is not.
        guard !isWriting else { return noteFullness() }
        if !isInCallback || output.byteCount > highWaterMark { flush() }
    }

    /// Sends what was written, then closes.
    public func loseConnection() {
        guard state == .open else { return }
        state = .flushing
        updateReading()
        finishSoon()
    }

    /// Sends what was written, then the end of our bytes (FIN).
    public func loseWriteConnection() {
        guard state == .open, !outputIsEnding else { return }
        outputIsEnding = true
        finishSoon()
    }

    /// Drops what is unsent and closes with a reset (RST).
    public func abortConnection() {
        guard state != .closed else { return }
        Socket.setResetOnClose(fd)
        endSoon(.aborted)
    }

    /// Receives nothing until `resumeProducing()`.
    public func pauseProducing() {
        isPaused = true
        updateReading()
    }

    /// Receives again.
    public func resumeProducing() {
        isPaused = false
        updateReading()
    }

    /// Makes `producer` heed how much is unsent.
    public func registerProducer(_ producer: any PushProducer) {
        precondition(
            self.producer == nil,
            "a producer is registered already with the connection to \(peer.hostAndPort)")
        guard !isDisconnecting else { return producer.stopProducing() }
        self.producer = producer
        if isFull { producer.pauseProducing() }
    }

    /// Ends `registerProducer`.
    public func unregisterProducer() { producer = nil }

    // MARK: Calling the protocol

    /// Calls the protocol; then sends what it wrote, and closes if it asked to.
    private func callBack(_ body: (any ConnectionProtocol) -> Void) {
        guard let connectionProtocol else { return }
        // A protocol that hands the connection to another one makes one callback inside another.
        let isOuter = !isInCallback
        isInCallback = true
        body(connectionProtocol)
        guard isOuter else { return }
        isInCallback = false
        flush()
    }

    // MARK: Receiving

    private func updateReading() {
        let wanted: Bool
        switch state {
        case .open:
            wanted =
                connectionProtocol != nil && !isPaused && !inputHasEnded
                && !(isFull && options.receivesOnlyWhenDrained)
        case .lingering: wanted = true
        case .flushing, .closed: wanted = false
        }
        guard wanted != isReading else { return }
        isReading = wanted
        guard wanted else { return reactor.removeReader(fd) }
        do {
            try reactor.addReader(fd) { [self] in receive() }
        } catch {
            isReading = false
            endSoon(
                .lost(
                    TransportError(.connectionLost, "cannot watch a connection: \(error)", underlying: error))
            )
        }
    }

    private func receive() {
        if state == .lingering { return dropInput() }
        let buffer = ReadBuffer.ofThisThread
        let count = Socket.receive(fd, into: buffer)
        switch count {
        case 1...:
            let bytes = ByteBuffer(bytes: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            callBack { $0.dataReceived(bytes) }
        case 0: endInput()
        case -Int(EAGAIN), -Int(EINTR): break
        default: end(.lost(.connectionLost(peer, Int32(-count))))
        }
    }

    private func endInput() {
        inputHasEnded = true
        updateReading()
        if connectionProtocol is any HalfCloseableProtocol, !outputHasEnded {
            callBack { ($0 as? any HalfCloseableProtocol)?.readConnectionLost() }
        } else {
            state = .flushing
            flush()
        }
    }

    // MARK: Sending

    /// Sends what the socket takes, within bounds; then does what waited for the queue to be empty.
    private func flush() {
        guard state != .closed else { return }
        var budget = 16
        while !output.isEmpty, budget > 0 {
            budget -= 1
            let count = output.send { Socket.send(fd, $0) }
            if count >= 0 || count == -Int(EINTR) { continue }
            if count == -Int(EAGAIN) { break }
            output.removeAll()
            // May run inside a call of the protocol's, which must have returned before it hears of the end.
            return endSoon(.lost(.connectionLost(peer, Int32(-count))))
        }
        noteFullness()
        updateWriting()
        if output.isEmpty, !isInCallback { finish() }
    }

    private func updateWriting() {
        guard state != .closed, output.isEmpty == isWriting else { return }
        isWriting.toggle()
        guard isWriting else { return reactor.removeWriter(fd) }
        do {
            try reactor.addWriter(fd) { [self] in flush() }
        } catch {
            isWriting = false
            endSoon(
                .lost(
                    TransportError(.connectionLost, "cannot watch a connection: \(error)", underlying: error))
            )
        }
    }

    private func noteFullness() {
        if !isFull, output.byteCount > highWaterMark {
            isFull = true
            updateReading()
            producer?.pauseProducing()
        } else if isFull, output.isEmpty {
            isFull = false
            updateReading()
            producer?.resumeProducing()
        }
    }

    // MARK: Ending

    /// For calls from outside a callback: what is due happens in a coming turn, never inside the call.
    private func finishSoon() {
        if !isInCallback { reactor.callLater(.zero) { [self] in flush() } }
    }

    /// Everything is sent: does what was asked for behind it.
    private func finish() {
        switch state {
        case .open:
            guard outputIsEnding, !outputHasEnded else { return }
            outputHasEnded = true
            Socket.shutdownWriting(fd)
            if inputHasEnded { end(.done) }
        case .flushing:
            if inputHasEnded { return end(.done) }
            Socket.shutdownWriting(fd)
            dropInput()
        case .lingering, .closed: break
        }
    }

    /// Our end is told. Bytes still coming are taken and dropped until the peer ends too; when there are none, we are done.
    private func dropInput() {
        let isFirst = state == .flushing
        var budget = 4
        while budget > 0 {
            budget -= 1
            let count = Socket.receive(fd, into: ReadBuffer.ofThisThread)
            if count > 0 || count == -Int(EINTR) { continue }
            if count == -Int(EAGAIN), !(isFirst && budget == 3) { break }
            return end(.done)
        }
        guard isFirst else { return }
        state = .lingering
        lingerTimer = reactor.callLater(options.lingerTime) { [self] in end(.done) }
        updateReading()
    }

    /// Closes now, and tells the protocol in a coming turn.
    private func endSoon(_ reason: ConnectionEnd) {
        guard close() else { return }
        reactor.callLater(.zero) { [self] in tellEnd(reason) }
    }

    /// Closes and tells the protocol. From the loop only, never inside a callback.
    private func end(_ reason: ConnectionEnd) {
        guard close() else { return }
        tellEnd(reason)
    }

    private func close() -> Bool {
        guard state != .closed else { return false }
        state = .closed
        isReading = false
        isWriting = false
        output.removeAll()
        lingerTimer?.cancelIfActive()
        lingerTimer = nil
        // The reactor must forget the number before the kernel may give it to another file.
        reactor.descriptorWillClose(fd)
        Glibc.close(fd)
        return true
    }

    private func tellEnd(_ reason: ConnectionEnd) {
        // Taken out first: each is told once, and the circle of references ends here.
        let (told, stopped, ended) = (connectionProtocol, producer, onEnd)
        (connectionProtocol, producer, onEnd) = (nil, nil, nil)
        stopped?.stopProducing()
        told?.connectionLost(reason)
        ended?(self)
    }
}
