import Logging
public import NIOCore
public import ReactorCore
public import Transports

/// TLS over any transport: what is written here leaves encrypted there.
///
/// The protocol attached to it is told `connectionMade` when the handshake is done and the peer's certificate was found
/// right, never before. Back-pressure passes through in both directions. `loseConnection()` ends with close_notify; a peer
/// whose bytes end without one may have been cut off by somebody on the way, so that end is `lost`, not `done`.
///
/// Endpoints make these: `listenTLS`, `connectTLS`. For another transport underneath:
/// ```swift
/// let tls = TLSTransport(over: memoryTransport, context: context, serverName: "example.org")
/// tls.attach(Echo())
/// ```
@ReactorActor
public final class TLSTransport: Transport {
    private enum State {
        case handshaking
        case open
        /// We said our end; left when the transport underneath is over.
        case closing
        case closed
    }

    private let under: any Transport
    private let session: TLSSession?
    private let reactor: Reactor
    private var state = State.handshaking
    private var connectionProtocol: (any ConnectionProtocol)?
    private var isMade = false
    private var producer: (any PushProducer)?
    /// Written before the handshake was done.
    private var early = ByteBuffer()
    private var handshakeTimer: DelayedCall?
    private var handshakeWaiter: Waiter<Void>?
    /// Whether the protocol's own bytes have gone into the session.
    private var hasWritten = false
    private var isHandshakeDone = false
    private var isPaused = false
    private var isUnderFull = false
    private var isInCallback = false
    private var outputHasEnded = false
    /// close_notify came.
    private var inputHasEnded = false
    /// What to tell instead of the reason of the transport underneath.
    private var reason: ConnectionEnd?

    /// Begins the handshake over a connected transport, whose protocol it becomes.
    /// - Parameters:
    ///   - serverName: for clients: the name or address that the server's certificate must be for. Checked, and
    ///     required, when the context verifies.
    ///   - handshakeTimeout: after it the connection is aborted.
    public init(
        over transport: any Transport, context: TLSContext, serverName: String? = nil,
        handshakeTimeout: Duration = .seconds(30)
    ) {
        under = transport
        reactor = .current
        let needsName = context.side == .client && context.verifies && serverName == nil
        session = needsName ? nil : TLSSession(context, serverName: serverName)
        handshakeTimer = reactor.callLater(handshakeTimeout) { [self] in
            fail("it took longer than \(handshakeTimeout)")
            under.abortConnection()
        }
        transport.attach(TLSLink(self))
        transport.registerProducer(TLSBackPressure(self))
        if session == nil {
            fail(needsName ? "no server name was given to verify" : "OpenSSL: \(takeOpenSSLErrors())")
        }
        pump()
    }

    /// The version agreed on, such as `TLSv1.3`; nil before that.
    public var version: String? { isHandshakeDone ? session?.version : nil }

    /// The protocol agreed on by ALPN, such as `h2`; nil before that, and when there was none in common.
    public var applicationProtocol: String? { isHandshakeDone ? session?.applicationProtocol : nil }

    /// Parks until the handshake is done. At most one task, before or after `attach`.
    ///
    /// - Throws: `TransportError` with code `handshakeFailed`; `CancellationError`, and the handshake goes on.
    func waitUntilReady() async throws {
        if isHandshakeDone { return }
        if case .lost(let error)? = reason { throw error }
        let waiter = Waiter<Void>(on: reactor)
        handshakeWaiter = waiter
        try await waiter.wait()
    }

    // MARK: Transport

    /// The address of this end.
    public var host: SocketAddress { under.host }
    /// The address of the other end.
    public var peer: SocketAddress { under.peer }
    /// Whether the connection is ending or over.
    public var isDisconnecting: Bool { state == .closing || state == .closed || under.isDisconnecting }
    /// Encrypted bytes not yet taken by the system, and plain ones that wait for the handshake.
    public var unsentByteCount: Int { under.unsentByteCount + early.readableBytes }
    /// Unsent bytes above which a producer is paused.
    public var highWaterMark: Int { under.highWaterMark }

    /// Gives the connection to a protocol; its `connectionMade` comes when the handshake is done.
    public func attach(_ connectionProtocol: any ConnectionProtocol) {
        self.connectionProtocol = connectionProtocol
        connectionProtocol.transport = self
        guard isHandshakeDone else { return }
        isMade = true
        callBack { $0.connectionMade() }
        // Decrypted bytes may wait here, or the end that came meanwhile.
        if state == .closed { reactor.callLater(.zero) { [self] in tellEnd() } } else { pumpSoon() }
    }

    /// Encrypts and sends bytes.
    public func write(_ bytes: ByteBuffer) {
        guard !isDisconnecting, !outputHasEnded, bytes.readableBytes > 0 else { return }
        guard state == .open else {
            early.writeImmutableBuffer(bytes)
            return
        }
        encrypt(bytes)
    }

    /// Sends what was written and close_notify, then closes.
    public func loseConnection() {
        guard !isDisconnecting else { return }
        if state == .handshaking { return abortConnection() }
        endOutput()
        state = .closing
        // What the peer still sends is dropped there; whether it says its end does not matter to us any more.
        under.loseConnection()
    }

    /// Sends what was written and close_notify; receiving goes on.
    public func loseWriteConnection() {
        guard state == .open, !isDisconnecting else { return }
        endOutput()
        under.loseWriteConnection()
    }

    /// Drops what is unsent and closes, without close_notify.
    public func abortConnection() {
        guard state != .closed else { return }
        state = .closing
        if reason == nil { reason = .aborted }
        under.abortConnection()
    }

    /// Receives nothing until `resumeProducing()`, what is decrypted already included.
    public func pauseProducing() {
        isPaused = true
        if isHandshakeDone { under.pauseProducing() }
    }

    /// Receives again.
    public func resumeProducing() {
        guard isPaused else { return }
        isPaused = false
        under.resumeProducing()
        pumpSoon()
    }

    /// Makes `producer` heed how much is unsent.
    public func registerProducer(_ producer: any PushProducer) {
        precondition(
            self.producer == nil,
            "a producer is registered already with the connection to \(peer.hostAndPort)")
        guard !isDisconnecting else { return producer.stopProducing() }
        self.producer = producer
        if isUnderFull { producer.pauseProducing() }
    }

    /// Ends `registerProducer`.
    public func unregisterProducer() { producer = nil }

    // MARK: Moving bytes

    fileprivate func received(_ bytes: ByteBuffer) {
        session?.receive(bytes)
        pump()
    }

    /// For calls from outside a callback: the protocol hears of it in a coming turn.
    private func pumpSoon() { reactor.callLater(.zero) { [self] in pump() } }

    /// Goes as far as the bytes here allow: handshake, then decrypting.
    private func pump() {
        guard let session, !isInCallback else { return }
        if state == .handshaking {
            let step = session.handshake()
            flush()
            switch step {
            case .done: becomeReady()
            case .wantsInput: return
            case .closed: return fail("the peer closed the connection")
            case .failed(let why): return fail(why)
            }
        }
        while state == .open, !isPaused, !inputHasEnded, connectionProtocol != nil {
            var bytes = ByteBuffer()
            let step = session.read(into: &bytes)
            switch step {
            case .done: callBack { $0.dataReceived(bytes) }
            case .wantsInput: return flush()
            case .closed: return endInput()
            case .failed(let why):
                return breakOff("TLS with \(peer.hostAndPort) broke: \(why)", .connectionLost)
            }
        }
    }

    private func becomeReady() {
        state = .open
        isHandshakeDone = true
        handshakeTimer?.cancelIfActive()
        if isPaused { under.pauseProducing() }
        if early.readableBytes > 0 {
            encrypt(early)
            early = ByteBuffer()
        }
        handshakeWaiter?.resume(returning: ())
        if connectionProtocol != nil, !isMade {
            isMade = true
            callBack { $0.connectionMade() }
        }
    }

    private func callBack(_ body: (any ConnectionProtocol) -> Void) {
        guard let connectionProtocol else { return }
        let wasInCallback = isInCallback
        isInCallback = true
        body(connectionProtocol)
        isInCallback = wasInCallback
    }

    private func encrypt(_ bytes: ByteBuffer) {
        guard let session else { return }
        hasWritten = true
        if case .failed(let why) = session.write(bytes) {
            return breakOff("TLS with \(peer.hostAndPort) broke: \(why)", .connectionLost)
        }
        flush()
    }

    private func flush() { if let bytes = session?.takeOutput() { under.write(bytes) } }

    // MARK: Ending

    private func endOutput() {
        guard !outputHasEnded else { return }
        outputHasEnded = true
        session?.closeWriting()
        flush()
    }

    /// The peer said its end in order.
    private func endInput() {
        inputHasEnded = true
        if connectionProtocol is any HalfCloseableProtocol, !outputHasEnded {
            callBack { ($0 as? any HalfCloseableProtocol)?.readConnectionLost() }
        } else {
            // With nothing of ours on the way, the end is clean even if our answer to it meets a closed socket. A
            // server's session tickets are nothing of its protocol's.
            if under.unsentByteCount == 0 || !hasWritten { reason = .done }
            endOutput()
            state = .closing
            under.loseConnection()
        }
    }

    /// The bytes underneath have ended. Without close_notify before, somebody may have cut them.
    fileprivate func underInputEnded() {
        guard !inputHasEnded, state == .open || state == .handshaking else { return }
        guard state == .open else { return fail("the peer closed the connection") }
        breakOff(
            "the connection with \(peer.hostAndPort) was cut off: its bytes ended without TLS's close_notify",
            .connectionLost)
    }

    private func fail(_ why: String) {
        breakOff("the TLS handshake with \(peer.hostAndPort) failed: \(why)", .handshakeFailed)
    }

    private func breakOff(_ message: String, _ code: TransportError.Code) {
        guard reason == nil else { return }
        let error = TransportError(code, message)
        reason = .lost(error)
        state = .closing
        handshakeTimer?.cancelIfActive()
        flush()  // the alert that tells the peer why
        under.loseConnection()
        handshakeWaiter?.resume(throwing: error)
    }

    fileprivate func underEnded(_ underReason: ConnectionEnd) {
        let wasCutOff = underReason.isClean && !inputHasEnded && state == .open
        if wasCutOff { underInputEnded() }
        if state == .handshaking {
            fail(underReason.isClean ? "the peer closed the connection" : underReason.description)
        }
        state = .closed
        handshakeTimer?.cancelIfActive()
        if reason == nil { reason = underReason }
        if !isMade, let reason, !reason.isClean {
            Logger(label: "transports.tls").debug("a connection ended before it was made: \(reason)")
        }
        tellEnd()
        handshakeWaiter?.resume(
            throwing: TransportError(
                .handshakeFailed, "the TLS handshake with \(peer.hostAndPort) was given up"))
    }

    private func tellEnd() {
        let (told, stopped) = (isMade ? connectionProtocol : nil, producer)
        (connectionProtocol, producer) = (nil, nil)
        stopped?.stopProducing()
        told?.connectionLost(reason ?? .done)
    }

    fileprivate func setUnderFull(_ isFull: Bool) {
        isUnderFull = isFull
        if isFull { producer?.pauseProducing() } else { producer?.resumeProducing() }
    }

    fileprivate func serverWillStop() {
        if isMade { connectionProtocol?.serverWillStop() } else { abortConnection() }
    }
}

/// The protocol of the transport underneath.
@ReactorActor
private final class TLSLink: HalfCloseableProtocol {
    var transport: (any Transport)?
    private let tls: TLSTransport

    init(_ tls: TLSTransport) { self.tls = tls }

    func dataReceived(_ data: ByteBuffer) { tls.received(data) }
    func readConnectionLost() { tls.underInputEnded() }
    func connectionLost(_ reason: ConnectionEnd) { tls.underEnded(reason) }
    func serverWillStop() { tls.serverWillStop() }
}

/// The producer of the transport underneath.
@ReactorActor
private final class TLSBackPressure: PushProducer {
    private unowned let tls: TLSTransport

    init(_ tls: TLSTransport) { self.tls = tls }

    func pauseProducing() { tls.setUnderFull(true) }
    func resumeProducing() { tls.setUnderFull(false) }
    func stopProducing() {}
}
