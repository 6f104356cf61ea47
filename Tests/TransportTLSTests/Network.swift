import NIOCore
import ReactorCore
import ReactorTesting
import TestCertificates
import TransportTLS
import Transports

/// Lets the reactor turn until `condition` holds. `withReactor`'s limit ends a test whose condition never does.
@ReactorActor
func eventually(_ condition: @ReactorActor () -> Bool) async throws {
    while !condition() { try await Reactor.current.sleep(for: .microseconds(200)) }
}

/// `withReactor` for tests with connections: what is just closing gets time to finish before leaks are looked for.
func withNetwork(_ body: @escaping @Sendable @ReactorActor (Reactor) async throws -> Void)
    async throws
{
    try await withReactor { reactor in
        try await body(reactor)
        let deadline = reactor.now.advanced(by: .seconds(5))
        while reactor.delayedCallCount > 0 || !reactor.watchedDescriptors.isEmpty, reactor.now < deadline {
            try await reactor.sleep(for: .microseconds(200))
        }
    }
}

/// Sends back what comes.
@ReactorActor
final class Echo: ConnectionProtocol {
    var transport: (any Transport)?
    func dataReceived(_ data: ByteBuffer) { transport?.write(data) }
}

extension TestCertificate {
    /// The context of a server that shows the certificate.
    func serverContext(_ protocols: [String] = []) throws -> TLSContext {
        try .server(
            certificateChainFile: certificateFile, privateKeyFile: keyFile, applicationProtocols: protocols)
    }

    /// The context of a client that trusts it.
    func clientContext(_ protocols: [String] = []) throws -> TLSContext {
        try .client(trustRootsFile: certificateFile, applicationProtocols: protocols)
    }
}
