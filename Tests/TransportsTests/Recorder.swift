import NIOCore
import ReactorCore
import Testing
import Transports

/// A protocol that writes down what it is told, and does what a test gives it to do.
@ReactorActor
final class Recorder: ConnectionProtocol {
    var transport: (any Transport)?
    var received = ByteBuffer()
    var events: [String] = []
    var end: ConnectionEnd?

    var onMade: (@ReactorActor (Recorder) -> Void)?
    var onData: (@ReactorActor (Recorder, ByteBuffer) -> Void)?

    var text: String { String(decoding: received.readableBytesView, as: UTF8.self) }

    func connectionMade() {
        events.append("made")
        onMade?(self)
    }

    func dataReceived(_ data: ByteBuffer) {
        if events.last != "data" { events.append("data") }
        received.writeImmutableBuffer(data)
        onData?(self, data)
    }

    func connectionLost(_ reason: ConnectionEnd) {
        events.append("lost")
        end = reason
    }
}

/// Lets the reactor turn until `condition` holds. `withReactor`'s limit ends a test whose condition never does.
@ReactorActor
func eventually(_ condition: @ReactorActor () -> Bool) async throws {
    while !condition() {
        try Task.checkCancellation()
        await Reactor.current.yield()
    }
}

extension ConnectionEnd {
    var isAborted: Bool { if case .aborted = self { true } else { false } }
    var error: TransportError? { if case .lost(let error) = self { error } else { nil } }
}

/// A listening port on a free port, a client connected to it, and the protocols of both ends.
@ReactorActor
struct TCPPair {
    let port: ListeningPort
    let server: Recorder
    let client: Recorder

    init(
        _ reactor: Reactor, serverOptions: TCPOptions = .accepted, clientOptions: TCPOptions = TCPOptions(),
        onServerMade: (@ReactorActor (Recorder) -> Void)? = nil
    ) async throws {
        let server = Recorder()
        server.onMade = onServerMade
        port = try reactor.listenTCP("127.0.0.1", port: 0, options: serverOptions) { server }
        client = try await reactor.connectTCP("127.0.0.1", port: port.port, options: clientOptions) {
            Recorder()
        }
        self.server = server
        try await eventually { server.events.first == "made" }
    }

    /// Ends both ends and the port, and waits for it.
    func close() async throws {
        port.stopListening()
        client.transport?.abortConnection()
        server.transport?.abortConnection()
        try await eventually { client.end != nil && server.end != nil }
    }
}
