public import Framing
public import NIOCore
public import ReactorCore

/// A protocol of lines: override nothing, write `lineReceived(_:)` and whichever of `LineReceiverHandler`'s other
/// methods are wanted.
///
/// ```swift
/// final class Greeter: LineReceiver {
///     func lineReceived(_ line: String) { send("Hello, \(line)") }
/// }
/// ```
/// Lines end in `\r\n` or `\n`, have at most 16,384 bytes and are UTF-8; assign another `framer` for
/// other rules. `pauseProducing()` inside `lineReceived` stops further lines until `resumeProducing()`; after
/// `loseConnection()` no line is delivered. Follows Twisted's `LineReceiver`.
///
/// A line answered later than its `lineReceived` returns is announced by `beginWork()` and done with `endWork()`: a peer that
/// stops sending (`printf … | nc -N`), and a server that stops, then wait for the answer.
public typealias LineReceiver = LineReceiverBase & LineReceiverHandler

/// What a `LineReceiver` is told. Only `lineReceived(_:)` must be written. All on the reactor.
@ReactorActor
public protocol LineReceiverHandler: LineReceiverBase, HalfCloseableProtocol {
    /// A line came, without its delimiter.
    func lineReceived(_ line: String)

    /// A line came that is not UTF-8. Closes the connection by default; framing goes on behind it for those who keep it.
    func lineEncodingInvalid(_ line: ByteBuffer)

    /// A line is longer than `limit` bytes; it is not kept. Closes the connection by default. Who keeps it open gets
    /// the line after it next; who wants to answer first sends, then calls `loseConnection()`.
    func lineLengthExceeded(limit: Int)

    /// Bytes came in raw mode. Drops them by default.
    func rawDataReceived(_ data: ByteBuffer)
}

extension LineReceiverHandler {
    /// Closes the connection.
    public func lineEncodingInvalid(_ line: ByteBuffer) { loseConnection() }

    /// Closes the connection.
    public func lineLengthExceeded(limit: Int) { loseConnection() }

    /// Drops the bytes.
    public func rawDataReceived(_ data: ByteBuffer) {}

    /// Takes the transport's bytes.
    public func dataReceived(_ data: ByteBuffer) {
        framer.append(data)
        deliver()
    }

    /// Ends once announced work is done; the peer may still be reading.
    public func readConnectionLost() { endWhenIdle() }

    /// Ends once announced work is done. Lines not yet delivered stay undelivered.
    public func serverWillStop() { endWhenIdle() }

    /// Delivers lines again, those already received first. In raw mode, bytes.
    public func resumeProducing() {
        guard isPaused else { return }
        isPaused = false
        transport?.resumeProducing()
        deliver()
    }

    /// Back to lines, beginning with `rest`: what `rawDataReceived` got beyond its part.
    public func setLineMode(rest: ByteBuffer = ByteBuffer()) {
        framer.mode = .lines
        framer.prepend(rest)
        deliver()
    }

    /// Delivers what is whole, until told to stop.
    private func deliver() {
        // Called from inside a delivery, there is nothing to do: the loop below goes on with what changed. Without
        // this, switching modes or pausing in every line would recurse.
        guard !isDelivering else { return }
        isDelivering = true
        defer { isDelivering = false }
        while !isPaused, !isEnding, let transport, !transport.isDisconnecting, let event = framer.next() {
            switch event {
            case .frame(let bytes):
                if let line = String(validating: bytes.readableBytesView, as: UTF8.self) {
                    lineReceived(line)
                } else {
                    lineEncodingInvalid(bytes)
                }
            case .raw(let bytes): rawDataReceived(bytes)
            case .lengthExceeded(let limit): lineLengthExceeded(limit: limit)
            }
        }
    }
}

/// The storage behind `LineReceiver`. Inherit from `LineReceiver`, not from this.
@ReactorActor
open class LineReceiverBase {
    /// The connection's transport.
    public final var transport: (any Transport)?

    /// How lines are cut: ends in `\r\n` or `\n`, at most 16,384 bytes. Assign another before the first bytes come, in `init`
    /// or `connectionMade`, for other rules.
    public final var framer = LineFramer()
    final fileprivate(set) var isPaused = false
    final fileprivate var isDelivering = false
    final fileprivate var isEnding = false
    private var workCount = 0

    // The only one: an initialiser of a subclass then calls it without saying so.
    /// A receiver of lines in UTF-8.
    public init() {}

    /// Sends a line: `line` and `\r\n`. Ignored when the connection is ending.
    public final func send(_ line: String) {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(line.utf8.count + 2)
        bytes.writeString(line)
        bytes.writeStaticString("\r\n")
        transport?.write(bytes)
    }

    /// Closes the connection when everything sent is flushed; no line is delivered any more.
    public final func loseConnection() { transport?.loseConnection() }

    /// Closes the connection at once and drops what is unsent.
    public final func abortConnection() { transport?.abortConnection() }

    /// No line is delivered, and nothing received, until `resumeProducing()`.
    public final func pauseProducing() {
        isPaused = true
        transport?.pauseProducing()
    }

    /// From now on bytes go to `rawDataReceived(_:)`, those already received first.
    public final func setRawMode() { framer.mode = .raw }

    /// An answer will be sent later: the connection is not idle until `endWork()`. May be nested.
    public final func beginWork() { workCount += 1 }

    /// Ends `beginWork()`. Closes the connection when it was waiting for this.
    /// - Precondition: a `beginWork()` is open.
    public final func endWork() {
        precondition(workCount > 0, "endWork() without beginWork()")
        workCount -= 1
        if workCount == 0, isEnding { loseConnection() }
    }

    fileprivate final func endWhenIdle() {
        isEnding = true
        if workCount == 0 { loseConnection() }
    }
}
