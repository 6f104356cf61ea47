import Glibc
public import Greenlets
import NIOCore
public import ReactorCore
import Transports

/// TLS over a socket of greenlets: gevent's `SSLSocket`. Where OpenSSL wants to read or to write, the calling greenlet parks.
///
/// ```swift
/// let context = try TLSContext.client()
/// let stream = try await TLSStream.connect(to: "example.org", port: 443, context: context, timeout: .seconds(5))
/// try await stream.sendAll("HEAD / HTTP/1.0\r\n\r\n")
/// for try await line in stream.lines() { print(line) }
/// stream.close()
/// ```
/// For protocols that are told of events, see `TLSTransport`. Every call that waits has an `async` form and one for synchronous
/// code in a greenlet.
///
/// **Time**, **one reader, one writer**, **cancellation**: as with `GreenSocket`. Of a `sendAll` that was cancelled any part may
/// have been sent, but never half a record: reading goes on, and so does sending.
///
/// **Errors.** `GreenletError` with code `timedOut`, `closed`, `busy`, `systemCall`, `endOfStream`, `tooLong`. `TransportError` with
/// code `handshakeFailed`, or `connectionLost`: bytes that nobody with the keys has sent, or a stream whose end the peer has not
/// confirmed (close_notify), which somebody on the way may have cut off. `CancellationError`, or the killer's error.
///
/// Reactor only. Released without `close()` it is closed, and the peer sees a stream that was cut off.
@ReactorActor
public final class TLSStream: StreamReading {
    /// How long a call that names no time-out may take; nil, the default, for ever.
    public var timeout: Duration?
    /// Bytes decrypted and not yet taken.
    package var readAhead = ReadAhead()

    let socket: GreenSocket
    let session: TLSSession
    private let reactor = Reactor.current
    private let peer: String
    /// Encrypted bytes that the kernel has not taken yet. They go before all others, whoever made them: a record may be in two.
    private var outbox: [UInt8] = []
    /// Held by who sends.
    private let sending = GreenletLock("sending over TLS")
    var isReading = false
    var isWriting = false
    /// close_notify came.
    private var inputHasEnded = false
    /// close_notify was sent, or is in the outbox.
    private var outputHasEnded = false
    /// The socket is its caller's again.
    private var isUnwrapped = false
    /// What broke it for good.
    private var failure: TransportError?

    private init(_ socket: GreenSocket, _ session: TLSSession) {
        self.socket = socket
        self.session = session
        timeout = socket.timeout
        peer = (try? socket.remoteAddress).map { "\($0)" } ?? "the peer"
    }

    // MARK: Making one

    /// Makes the connected socket one that speaks TLS: parks until the handshake is done. Python's `wrap_socket`.
    ///
    /// From here on the socket is the stream's: use it again after `unwrap()` only. Bytes that have come for it already, even such
    /// as it has read ahead, count as the peer's part of the handshake.
    /// - Parameters:
    ///   - context: says which side of the handshake is ours.
    ///   - serverName: for clients: the name or address that the server's certificate must be for. Required when the context
    ///     verifies.
    ///   - timeout: for the handshake.
    /// - Throws: `TransportError` with code `handshakeFailed`; else as the reads. The socket is closed then.
    public static func wrap(
        _ socket: GreenSocket, context: TLSContext, serverName: String? = nil, timeout: Duration? = nil
    ) async throws -> TLSStream {
        do {
            if context.side == .client, context.verifies, serverName == nil {
                throw TransportError(.handshakeFailed, "TLS: no server name was given to verify")
            }
            guard let session = TLSSession(context, serverName: serverName) else {
                throw TransportError(
                    .handshakeFailed,
                    "TLS with \(serverName ?? "a client"): OpenSSL makes no session: \(takeOpenSSLErrors())")
            }
            let stream = TLSStream(socket, session)
            try await stream.shakeHands(timeout)
            return stream
        } catch {
            socket.close()
            throw error
        }
    }

    /// Connects to a TCP server and does the handshake; parks until that is done.
    ///
    /// - Parameters:
    ///   - serverName: the name or address that the certificate must be for; `host` by default.
    ///   - timeout: for everything: look-up, connection and handshake.
    /// - Throws: as `GreenSocket.connect(to:port:timeout:from:)` and `wrap(_:context:serverName:timeout:)`. Nothing stays open.
    public static func connect(
        to host: String, port: Int, context: TLSContext, serverName: String? = nil, timeout: Duration? = nil
    ) async throws -> TLSStream {
        let reactor = Reactor.current
        let deadline = timeout.map { reactor.now.advanced(by: $0) }
        let socket = try await GreenSocket.connect(to: host, port: port, timeout: timeout)
        return try await wrap(
            socket, context: context, serverName: serverName ?? host,
            timeout: deadline.map { max(.zero, reactor.now.duration(to: $0)) })
    }

    // MARK: What was agreed on

    /// The version, such as `TLSv1.3`.
    public var version: String { session.version }
    /// The protocol agreed on by ALPN, such as `h2`; nil when there was none.
    public var applicationProtocol: String? { session.applicationProtocol }
    /// Whether it has been closed, or unwrapped.
    public var isClosed: Bool { isUnwrapped || socket.isClosed }

    // MARK: Ending

    /// Sends close_notify: the peer sees the end of the stream. Parks until the kernel has it; receiving goes on, and what is sent
    /// from here on is an error, with code `closed`. Doing it twice does nothing.
    ///
    /// - Throws: as `sendAll(_:timeout:)`.
    public func closeWriting(timeout: Duration? = nil) async throws {
        try await perform("closeWriting", \.isWriting, timeout) { deadline in
            if !outputHasEnded {
                outputHasEnded = true
                session.closeWriting()
            }
            try await flush(deadline)
        }
    }

    /// Ends TLS in both directions and gives the socket back, which goes on in plain. Parks until the peer has said its end, too.
    /// What it sent before is there for this stream's reads; what it sent behind, for the socket's.
    ///
    /// - Throws: as `sendAll(_:timeout:)` and the reads; the socket remains the stream's then.
    public func unwrap(timeout: Duration? = nil) async throws -> GreenSocket {
        let deadline = (timeout ?? self.timeout).map { reactor.now.advanced(by: $0) }
        try await closeWriting(timeout: timeout)
        let left = deadline.map { max(.zero, reactor.now.duration(to: $0)) }
        try await perform("unwrap", \.isReading, left) { deadline in
            while true {
                let bytes = try await receiveOnce(deadline)
                if bytes.isEmpty { return }
                readAhead.append(bytes)
            }
        }
        isUnwrapped = true
        socket.unread(session.takeInput())
        return socket
    }

    /// Closes the socket; greenlets parked on it get `GreenletError` with code `closed`. The peer is told by close_notify if the
    /// kernel takes that at once. Never waits; closing twice does nothing, and after `unwrap()` the socket stays open.
    public func close() {
        guard !isClosed else { return }
        if failure == nil, !outputHasEnded, !sending.isLocked {
            outputHasEnded = true
            session.closeWriting()
            flushWithoutWaiting()
        }
        socket.close()
    }

    // MARK: Moving bytes

    /// Runs `body` as the only call in its direction.
    func perform<Value: Sendable>(
        _ name: String, _ direction: ReferenceWritableKeyPath<TLSStream, Bool>, _ timeout: Duration?,
        _ body: @ReactorActor (ReactorInstant?) async throws -> Value
    ) async throws -> Value {
        try Task.checkCancellation()
        guard isUnwrapped || !socket.isClosed else { throw closedError(name) }
        guard !self[keyPath: direction] else {
            throw GreenletError(
                .busy,
                """
                \(name): another greenlet already \(direction == \.isReading ? "reads from" : "writes to") the TLS stream \
                with \(peer); use a lock, or one greenlet for each direction
                """)
        }
        self[keyPath: direction] = true
        defer { self[keyPath: direction] = false }
        let timeout = timeout ?? self.timeout
        do {
            return try await body(timeout.map { reactor.now.advanced(by: $0) })
        } catch let error as GreenletError where error.isTimeout {
            // Its own text names the time that was left for one step.
            throw GreenletError(
                .timedOut, "timed out: \(name) over TLS with \(peer) took longer than \(timeout ?? .zero)",
                errno: error.errno)
        }
    }

    private func shakeHands(_ timeout: Duration?) async throws {
        try await perform("handshake", \.isReading, timeout) { deadline in
            while true {
                switch session.handshake() {
                case .done: return try await flush(deadline)
                case .wantsInput:
                    try await flush(deadline)
                    let bytes = try await socket.receive(timeout: left(deadline))
                    guard !bytes.isEmpty else { throw handshakeFailure("the peer closed the connection") }
                    session.receive(ByteBuffer(bytes: bytes))
                case .closed: throw handshakeFailure("the peer closed the connection")
                case .failed(let why):
                    // The alert that tells the peer why.
                    try? await flush(deadline)
                    throw handshakeFailure(why)
                }
            }
        }
    }

    private func handshakeFailure(_ why: String) -> TransportError {
        TransportError(.handshakeFailed, "the TLS handshake with \(peer) failed: \(why)")
    }

    /// Parks until something is decrypted; empty at the end of the stream.
    func receiveOnce(_ deadline: ReactorInstant?) async throws -> [UInt8] {
        while true {
            if inputHasEnded { return [] }
            if let failure { throw failure }
            guard !isUnwrapped else { throw closedError("receive") }
            var bytes = ByteBuffer()
            switch session.read(into: &bytes) {
            case .done: return Array(bytes.readableBytesView)
            case .wantsInput:
                // An answer to the peer's change of keys. A reader must not wait for the peer to read: it may wait for us.
                flushWithoutWaiting()
                let encrypted = try await socket.receive(timeout: left(deadline))
                guard !encrypted.isEmpty else {
                    throw fail(
                        "the connection with \(peer) was cut off: its bytes ended without TLS's close_notify")
                }
                session.receive(ByteBuffer(bytes: encrypted))
            case .closed: inputHasEnded = true
            case .failed(let why):
                flushWithoutWaiting()  // the alert that tells the peer why
                throw fail("TLS with \(peer) broke: \(why)")
            }
        }
    }

    /// Encrypts bytes and parks until the kernel has taken them.
    func encryptAndSend(_ bytes: ArraySlice<UInt8>, _ deadline: ReactorInstant?) async throws {
        guard !outputHasEnded, !isUnwrapped else { throw closedError("send") }
        if let failure { throw failure }
        if case .failed(let why) = session.write(ByteBuffer(bytes: bytes)) {
            throw fail("TLS with \(peer) broke: \(why)")
        }
        try await flush(deadline)
    }

    /// Parks until the kernel has taken what the session has made so far.
    private func flush(_ deadline: ReactorInstant?) async throws {
        takeOutput()
        while !outbox.isEmpty {
            guard try await sending.acquire(timeout: left(deadline)) else {
                throw GreenletError(.timedOut, "timed out", errno: ETIMEDOUT)
            }
            defer { try? sending.release() }  // held
            takeOutput()
            while !outbox.isEmpty {
                let count = try await socket.send(outbox, timeout: left(deadline))
                outbox.removeFirst(count)
            }
        }
    }

    /// Gives the kernel what it takes at once. The rest is for the next to send, and so is all while somebody sends.
    private func flushWithoutWaiting() {
        takeOutput()
        guard !outbox.isEmpty, !sending.isLocked else { return }
        let count = outbox.withUnsafeBytes {
            send(socket.descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
        }
        if count > 0 { outbox.removeFirst(count) }
    }

    private func takeOutput() {
        if let bytes = session.takeOutput() { outbox += bytes.readableBytesView }
    }

    private func left(_ deadline: ReactorInstant?) -> Duration? {
        deadline.map { max(.zero, reactor.now.duration(to: $0)) }
    }

    private func fail(_ message: String) -> TransportError {
        let error = TransportError(.connectionLost, message)
        failure = failure ?? error
        return error
    }

    private func closedError(_ name: String) -> GreenletError {
        GreenletError(
            .closed,
            "\(name): \(isUnwrapped ? "the socket has been unwrapped" : "the TLS stream is closed") (EBADF)",
            errno: EBADF)
    }
}
