public import NIOCore
public import ReactorCore
public import Transports

/// A protocol that writes down what it is told, and does what a test gives it to do.
@ReactorActor
public final class RecordingProtocol: ConnectionProtocol {
    /// The connection's transport.
    public var transport: (any Transport)?
    /// Every byte received.
    public private(set) var received = ByteBuffer()
    /// `made`, `data`, `lost` in the order they came; neighbouring `data` are one.
    public private(set) var events: [String] = []
    /// What `connectionLost` was told.
    public private(set) var end: ConnectionEnd?
    /// Runs inside `connectionMade`.
    public var onMade: (@ReactorActor (RecordingProtocol) -> Void)?
    /// Runs inside `dataReceived`.
    public var onData: (@ReactorActor (RecordingProtocol, ByteBuffer) -> Void)?
    /// Whether a callback runs; a transport that calls back from inside a call is found out by it.
    public private(set) var isInCallback = false
    /// Whether a callback came inside another.
    public private(set) var wasReentered = false

    /// A protocol that has seen nothing.
    public init() {}

    /// What was received, as text.
    public var text: String { String(decoding: received.readableBytesView, as: UTF8.self) }

    /// Writes it down.
    public func connectionMade() {
        callback("made") { onMade?(self) }
    }

    /// Writes it down.
    public func dataReceived(_ data: ByteBuffer) {
        callback("data") {
            received.writeImmutableBuffer(data)
            onData?(self, data)
        }
    }

    /// Writes it down.
    public func connectionLost(_ reason: ConnectionEnd) {
        callback("lost") { end = reason }
    }

    private func callback(_ name: String, _ body: () -> Void) {
        if isInCallback { wasReentered = true }
        if name != "data" || events.last != "data" { events.append(name) }
        isInCallback = true
        body()
        isInCallback = false
    }
}
