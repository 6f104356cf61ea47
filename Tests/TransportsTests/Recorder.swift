import NIOCore
import ReactorCore
import ReactorTesting
import TestNetworks
import Testing
import Transports

typealias Recorder = RecordingProtocol
typealias CountingProducer = RecordingProducer

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

    init(_ reactor: Reactor, host: String = "127.0.0.1") async throws {
        let server = Recorder()
        port = try reactor.listenTCP(host, port: 0) { server }
        client = try await reactor.connectTCP(host, port: port.port) { Recorder() }
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
