import NIOCore
import ReactorCore
import ReactorTesting
import Testing
import Transports

typealias Recorder = RecordingProtocol
typealias CountingProducer = RecordingProducer

/// `withReactor` for tests with connections: what is just closing gets time to finish before leaks are looked for.
func withNetwork(_ body: @escaping @Sendable @ReactorActor (Reactor) async throws -> Void) async throws {
    try await withReactor { reactor in
        try await body(reactor)
        let deadline = reactor.now.advanced(by: .seconds(5))
        while reactor.delayedCallCount > 0 || !reactor.watchedDescriptors.isEmpty, reactor.now < deadline {
            try await reactor.sleep(for: .microseconds(200))
        }
    }
}

/// Lets the reactor turn until `condition` holds. `withReactor`'s limit ends a test whose condition never does.
@ReactorActor
func eventually(_ condition: @ReactorActor () -> Bool) async throws {
    while !condition() {
        // A short sleep and no yield: that would keep the processor, and the sockets, from everybody else.
        try await Reactor.current.sleep(for: .microseconds(200))
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
