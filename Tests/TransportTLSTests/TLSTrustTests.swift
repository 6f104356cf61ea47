import Glibc
import Greenlets
import NIOCore
import ReactorCore
import ReactorTesting
import TestCertificates
import TestNetworks
import Testing
import TransportTLS
import Transports

/// Whom a handshake believes.
@Suite(.timeLimit(.minutes(10))) struct TLSTrustTests {
    let certificate = TestCertificate(names: "DNS:localhost,DNS:lookup.example,IP:127.0.0.1")

    @Test func handshakeAgreesOnTLS13AndSecretsDoNotShowOnTheWire() async throws {
        let (serverContext, clientContext) = (
            try certificate.serverContext(), try certificate.clientContext()
        )
        try await withNetwork { reactor in
            let (client, server) = MemoryTransport.pair()
            var wire = ByteBuffer()
            client.tamper = { bytes in
                wire.writeImmutableBuffer(bytes)
                return bytes
            }
            let (left, right) = (RecordingProtocol(), RecordingProtocol())
            let serverTLS = TLSTransport(over: server, context: serverContext)
            let clientTLS = TLSTransport(over: client, context: clientContext, serverName: "localhost")
            clientTLS.write("secret, written before the handshake")
            serverTLS.attach(right)
            clientTLS.attach(left)
            try await eventually { right.text == "secret, written before the handshake" }
            #expect(clientTLS.version == "TLSv1.3")
            #expect(!String(decoding: wire.readableBytesView, as: UTF8.self).contains("secret"))
            clientTLS.loseConnection()
            try await eventually { left.end != nil && right.end != nil }
            #expect(left.end!.isClean)
            #expect(right.end!.isClean)
        }
    }

    /// Connects and expects to be refused; returns the message.
    @ReactorActor
    private func refusal(
        _ reactor: Reactor, server: TLSContext, client: TLSContext, host: String = "127.0.0.1",
        serverName: String? = nil
    ) async throws -> String {
        let served = RecordingProtocol()
        let port = try reactor.listenTLS("127.0.0.1", port: 0, context: server) { served }
        let error = await #expect(throws: TransportError.self) {
            _ = try await reactor.connectTLS(host, port: port.port, context: client, serverName: serverName) {
                RecordingProtocol()
            }
        }
        #expect(error?.code == .handshakeFailed)
        try await eventually { port.connections.isEmpty }
        port.stopListening()
        // TLS 1.3: the server may be done before the client has looked at the certificate; it hears of the refusal then.
        #expect(served.events == [] || served.events == ["made", "lost"])
        #expect(served.end.map { !$0.isClean } ?? true)
        return error?.message ?? ""
    }

    @Test func wrongNameIsRefused() async throws {
        let (serverContext, clientContext) = (
            try certificate.serverContext(), try certificate.clientContext()
        )
        try await withNetwork { reactor in
            let message = try await refusal(
                reactor, server: serverContext, client: clientContext, serverName: "other.example")
            #expect(message.contains("the certificate is refused"))
            #expect(message.lowercased().contains("hostname mismatch"))
        }
    }

    @Test func wrongAddressIsRefused() async throws {
        let other = TestCertificate(names: "DNS:localhost,IP:192.0.2.1")
        let server = try TLSContext.server(
            certificateChainFile: other.certificateFile, privateKeyFile: other.keyFile)
        let client = try TLSContext.client(trustRootsFile: other.certificateFile)
        try await withNetwork { reactor in
            let message = try await refusal(reactor, server: server, client: client)
            #expect(message.lowercased().contains("ip address mismatch"))
        }
    }

    @Test func untrustedCertificateIsRefused() async throws {
        let stranger = TestCertificate(names: "IP:127.0.0.1")
        let server = try certificate.serverContext()
        let client = try TLSContext.client(trustRootsFile: stranger.certificateFile)
        try await withNetwork { reactor in
            let message = try await refusal(reactor, server: server, client: client)
            #expect(message.contains("certificate"))
        }
    }

    @Test func systemRootsDoNotTrustATestCertificate() async throws {
        let server = try certificate.serverContext()
        let client = try TLSContext.client()
        try await withNetwork { reactor in
            _ = try await refusal(reactor, server: server, client: client)
        }
    }

    @Test func expiredCertificateIsRefused() async throws {
        let expired = TestCertificate(names: "IP:127.0.0.1", validFor: -30)
        let server = try TLSContext.server(
            certificateChainFile: expired.certificateFile, privateKeyFile: expired.keyFile)
        let client = try TLSContext.client(trustRootsFile: expired.certificateFile)
        try await withNetwork { reactor in
            let message = try await refusal(reactor, server: server, client: client)
            #expect(message.contains("expired"))
        }
    }

    @Test func withoutVerificationAnythingGoes() async throws {
        let server = try certificate.serverContext()
        let client = try TLSContext.client(verify: false)
        try await withNetwork { reactor in
            let port = try reactor.listenTLS("127.0.0.1", port: 0, context: server) { Echo() }
            let protocolOfClient = try await reactor.connectTLS(
                "127.0.0.1", port: port.port, context: client, serverName: "whatever.example"
            ) { RecordingProtocol() }
            protocolOfClient.transport?.write("x")
            try await eventually { protocolOfClient.text == "x" }
            protocolOfClient.transport?.loseConnection()
            port.stopListening()
            try await eventually { protocolOfClient.end != nil && port.connections.isEmpty }
        }
    }

    @Test func verifyingClientNeedsAName() async throws {
        let clientContext = try certificate.clientContext()
        try await withNetwork { reactor in
            let (client, server) = MemoryTransport.pair()
            let far = RecordingProtocol()
            server.attach(far)
            let tls = TLSTransport(over: client, context: clientContext)
            try await eventually { far.end != nil && tls.isDisconnecting }
            #expect(far.received.readableBytes == 0)
        }
    }

    @Test func peerThatSpeaksNoTLSIsAFailedHandshake() async throws {
        let clientContext = try certificate.clientContext()
        try await withNetwork { reactor in
            let port = try reactor.listenTCP("127.0.0.1", port: 0) {
                let plain = RecordingProtocol()
                plain.onData = { plain, _ in plain.transport?.write("HTTP/1.1 400 Bad Request\r\n\r\n") }
                return plain
            }
            let error = await #expect(throws: TransportError.self) {
                _ = try await reactor.connectTLS("127.0.0.1", port: port.port, context: clientContext) {
                    RecordingProtocol()
                }
            }
            #expect(error?.code == .handshakeFailed)
            port.stopListening()
            try await eventually { port.connections.isEmpty }
        }
    }

    @Test func silentPeerEndsAtTheTimeout() async throws {
        let clientContext = try certificate.clientContext()
        try await withNetwork { reactor in
            let port = try reactor.listenTCP("127.0.0.1", port: 0) { RecordingProtocol() }
            let error = await #expect(throws: TransportError.self) {
                _ = try await reactor.connectTLS(
                    "127.0.0.1", port: port.port, context: clientContext, timeout: .seconds(1)
                ) { RecordingProtocol() }
            }
            #expect(error?.code == .handshakeFailed)
            port.stopListening()
            try await eventually { port.connections.isEmpty }
        }
    }
}
