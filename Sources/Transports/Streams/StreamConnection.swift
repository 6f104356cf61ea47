import Framing
import Greenlets
public import NIOCore
public import ReactorCore

/// A connection that is read and written in sequence: the asynchronous style.
///
/// ```swift
/// let server = try reactor.serveTCP("127.0.0.1", port: 3001) { connection in
///     for try await line in connection.lines {
///         try await connection.write("You said \(line)\r\n")
///     }
/// }
/// ```
/// Nothing piles up: the peer is not read while more than 64 KiB wait here to be read, and `write` parks while more than the
/// transport's high-water mark is unsent. Every waiting call has a form for `async` code and one for synchronous code
/// in a greenlet. Reactor only. One reader at a time; any number of writers, whose writes are not mixed. A server closes its
/// connections when their handlers end; whoever connects closes with `close()`: dropping the connection does not.
@ReactorActor
public final class StreamConnection {
    /// How many received bytes may wait to be read before the peer is paused.
    private static let inputLimit = 65_536

    /// What carries the bytes. Give it no other protocol.
    public let transport: any Transport

    let reactor: Reactor
    /// What was received and not read; cut into lines or not as the reader likes.
    private var input: LineFramer
    private var inputHasEnded = false
    private var end: ConnectionEnd?
    private var reader: Waiter<Void>?
    private var writers: [Waiter<Void>] = []
    private var isPaused = false
    /// More than the high-water mark is unsent.
    private var isFull = false

    init(_ reactor: Reactor, _ transport: any Transport, maxLineLength: Int) {
        self.reactor = reactor
        self.transport = transport
        input = LineFramer(maxLength: maxLineLength)
    }

    /// The address of this end.
    public var host: SocketAddress { transport.host }

    /// The address of the other end.
    public var peer: SocketAddress { transport.peer }

    // MARK: Reading

    /// Parks until bytes are there and returns up to `limit` of them, or nil when the peer will send no more.
    ///
    /// - Throws: `TransportError` with code `connectionLost`, `connectionAborted` or `concurrentRead`; `CancellationError`,
    ///   and then nothing was taken: the bytes are there for the next call.
    /// - Precondition: `limit` is positive.
    public func read(upTo limit: Int = 65_536) async throws -> ByteBuffer? {
        precondition(limit > 0, "read(upTo: \(limit)) can return nothing")
        guard case .raw(var bytes)? = try await next(.raw) else { return nil }
        if bytes.readableBytes > limit, let head = bytes.readSlice(length: limit) {
            input.prepend(bytes)
            bytes = head
        }
        updateFlow()
        return bytes
    }

    /// Parks until a whole line is there and returns it without its delimiter, or nil when the peer will send no more.
    ///
    /// Lines end in `\r\n` or `\n`. What follows the last delimiter is no line (the peer may have been cut off); `read()`
    /// returns it.
    /// - Throws: as `read(upTo:)`; `TransportError` with code `lineTooLong` or `invalidUTF8`: such a line is skipped, and the
    ///   next call returns the one behind it.
    public func readLine() async throws -> String? {
        let event = try await next(.lines)
        updateFlow()
        switch event {
        case .frame(let bytes)?:
            if let line = String(validating: bytes.readableBytesView, as: UTF8.self) { return line }
            throw TransportError(.invalidUTF8, "\(peer.hostAndPort) sent a line that is not UTF-8")
        case .lengthExceeded(let limit)?:
            throw TransportError(.lineTooLong, "\(peer.hostAndPort) sent a line of more than \(limit) bytes")
        case .raw?, nil: return nil
        }
    }

    /// The lines to come, ending when the peer will send no more. Throws as `readLine()`; the connection may be read on
    /// after an error.
    public nonisolated var lines: LineSequence { LineSequence(connection: self) }

    private func next(_ mode: LineFramer.Mode) async throws -> FramingEvent? {
        try Task.checkCancellation()
        guard reader == nil else {
            throw TransportError(
                .concurrentRead,
                "two tasks read the connection with \(peer.hostAndPort); one must do it for both")
        }
        while true {
            input.mode = mode
            if let event = input.next() { return event }
            if inputHasEnded { return nil }
            switch end {
            case nil: break
            case .done?: return nil
            case let end?: throw error(end)
            }
            let waiter = Waiter<Void>(on: reactor)
            reader = waiter
            defer { reader = nil }
            updateFlow()
            try await waiter.wait()
        }
    }

    /// Pauses the peer when nobody waits for its bytes and enough of them are here.
    private func updateFlow() {
        let shouldPause = reader == nil && input.bufferedByteCount > Self.inputLimit
        guard shouldPause != isPaused, end == nil, !inputHasEnded else { return }
        isPaused = shouldPause
        if shouldPause { transport.pauseProducing() } else { transport.resumeProducing() }
    }

    // MARK: Writing

    /// Sends bytes, and parks while more than the transport's high-water mark is unsent.
    ///
    /// - Throws: `TransportError` with code `closed`, `connectionLost` or `connectionAborted`; `CancellationError`. Bytes
    ///   given before a park are sent all the same.
    public func write(_ bytes: ByteBuffer) async throws {
        try Task.checkCancellation()
        if let end { throw error(end) }
        if transport.isDisconnecting { throw TransportError.closed(peer) }
        transport.write(bytes)
        guard isFull else { return }
        let waiter = Waiter<Void>(on: reactor)
        writers.append(waiter)
        defer { writers.removeAll { $0 === waiter } }
        try await waiter.wait()
    }

    /// Sends a string's UTF-8. As `write(_:)` for bytes.
    public func write(_ text: String) async throws { try await write(ByteBuffer(string: text)) }

    // MARK: Ending

    /// Sends what was written, then tells the peer that no more will come; reading goes on. Never waits.
    public func finishWriting() { transport.loseWriteConnection() }

    /// Sends what was written, then closes. Never waits.
    public func close() { transport.loseConnection() }

    /// Closes at once and drops what is unsent. Never waits.
    public func abort() { transport.abortConnection() }

    private func error(_ end: ConnectionEnd) -> TransportError {
        switch end {
        case .done: .closed(peer)
        case .lost(let error): error
        case .aborted:
            TransportError(
                .connectionAborted, "the connection with \(peer.hostAndPort) was aborted by this side")
        }
    }

    // MARK: What the transport tells

    func received(_ bytes: ByteBuffer) {
        input.append(bytes)
        reader?.resume(returning: ())
        updateFlow()
    }

    /// The peer will send no more, or the server wants no more of it: readers get what is here, then the end.
    func endInput() {
        inputHasEnded = true
        reader?.resume(returning: ())
    }

    func setFull(_ isFull: Bool) {
        self.isFull = isFull
        if !isFull { for waiter in writers { waiter.resume(returning: ()) } }
    }

    func ended(_ reason: ConnectionEnd) {
        end = reason
        reader?.resume(returning: ())
        for waiter in writers { waiter.resume(throwing: error(reason)) }
    }
}
