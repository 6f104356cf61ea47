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

@Suite(.timeLimit(.minutes(10))) struct TLSTransportTests {
    let certificate = TestCertificate(names: "DNS:localhost,DNS:lookup.example,IP:127.0.0.1")

    // MARK: The contract, over memory and over TCP

    @Test(arguments: TransportContract.allCases)
    func overMemoryItKeepsTheContract(_ clause: TransportContract) async throws {
        let (serverContext, clientContext) = (
            try certificate.serverContext(), try certificate.clientContext()
        )
        try await withNetwork { reactor in
            let (client, server) = MemoryTransport.pair()
            try await clause.verify(reactor) { left, right in
                let serverTLS = TLSTransport(over: server, context: serverContext)
                let clientTLS = TLSTransport(
                    over: client, context: clientContext, serverName: "lookup.example")
                serverTLS.attach(right)
                clientTLS.attach(left)
                try await eventually { !left.events.isEmpty && !right.events.isEmpty }
            }
            withExtendedLifetime((client, server)) {}
        }
    }

    @Test(arguments: TransportContract.allCases)
    func overTCPItKeepsTheContract(_ clause: TransportContract) async throws {
        let (serverContext, clientContext) = (
            try certificate.serverContext(), try certificate.clientContext()
        )
        try await withNetwork { reactor in
            try await clause.verify(reactor) { left, right in
                let port = try reactor.listenTLS("127.0.0.1", port: 0, context: serverContext) { right }
                _ = try await reactor.connectTLS("127.0.0.1", port: port.port, context: clientContext) {
                    left
                }
                try await eventually { !right.events.isEmpty }
                port.stopListening()
            }
        }
    }

    // MARK: Bytes and ends

    @Test func aMebibyteIsEchoed() async throws {
        let (serverContext, clientContext) = (
            try certificate.serverContext(), try certificate.clientContext()
        )
        try await withNetwork { reactor in
            let port = try reactor.listenTLS("127.0.0.1", port: 0, context: serverContext) { Echo() }
            let client = try await reactor.connectTLS("127.0.0.1", port: port.port, context: clientContext) {
                RecordingProtocol()
            }
            let bytes = ByteBuffer(bytes: (0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
            client.transport?.write(bytes)
            try await eventually { client.received.readableBytes >= bytes.readableBytes }
            #expect(client.received == bytes)
            client.transport?.loseConnection()
            try await eventually { client.end != nil && port.connections.isEmpty }
            #expect(client.end!.isClean)
            port.stopListening()
        }
    }

    @Test func lineReceiversNeedNotKnow() async throws {
        let (serverContext, clientContext) = (
            try certificate.serverContext(), try certificate.clientContext()
        )
        try await withNetwork { reactor in
            let port = try reactor.listenTLS("127.0.0.1", port: 0, context: serverContext) { Greeter() }
            let client = try await reactor.connectTLS("127.0.0.1", port: port.port, context: clientContext) {
                RecordingProtocol()
            }
            client.transport?.write("world\r\n")
            try await eventually { client.text == "Hello, world\r\n" }
            #expect(await port.stop(gracePeriod: .seconds(10)) == 0)
            try await eventually { client.end != nil }
            #expect(client.end!.isClean)
        }
    }

    @Test func streamsWorkInBothStyles() async throws {
        let (serverContext, clientContext) = (
            try certificate.serverContext(), try certificate.clientContext()
        )
        try await withNetwork { reactor in
            let asynchronous = try reactor.serveTLS("127.0.0.1", port: 0, context: serverContext) {
                connection in
                for try await line in connection.lines { try await connection.write("async \(line)\r\n") }
            }
            let synchronous = try reactor.serveTLS("127.0.0.1", port: 0, context: serverContext) {
                connection in
                while let line = try connection.readLine() { try connection.write("sync \(line)\r\n") }
            }
            let client = try await reactor.connectTLS(
                "127.0.0.1", port: asynchronous.port, context: clientContext)
            try await client.write("one\ntwo\n")
            client.finishWriting()
            #expect(try await client.readLine() == "async one")
            #expect(try await client.readLine() == "async two")
            #expect(try await client.readLine() == nil)
            client.close()

            let port = synchronous.port
            let greenlet = Greenlet.spawn { () throws -> String? in
                let connection: StreamConnection = try reactor.connectTLS(
                    "127.0.0.1", port: port, context: clientContext)
                defer { connection.close() }
                try connection.write("three\n")
                return try connection.readLine()
            }
            #expect(try await greenlet.get() == "sync three")
            #expect(await asynchronous.stop(gracePeriod: .seconds(10)) == 0)
            #expect(await synchronous.stop(gracePeriod: .seconds(10)) == 0)
        }
    }

    @Test func streamServerForgetsConnectionsWhoseHandshakeFails() async throws {
        let serverContext = try certificate.serverContext()
        try await withNetwork { reactor in
            var handled = 0
            let server = try reactor.serveTLS("127.0.0.1", port: 0, context: serverContext) { _ in
                handled += 1
            }
            let plain = try await reactor.connectTCP("127.0.0.1", port: server.port) { RecordingProtocol() }
            plain.transport?.write("this is not TLS, and never will be\r\n")
            try await eventually { plain.end != nil && server.connections.isEmpty }

            // One that says nothing is asked to go when the server stops.
            let silent = try await reactor.connectTCP("127.0.0.1", port: server.port) { RecordingProtocol() }
            try await eventually { server.connections.count == 1 }
            #expect(await server.stop(gracePeriod: .seconds(10)) == 0)
            try await eventually { silent.end != nil }
            #expect(handled == 0)
        }
    }

    @Test func bytesThatEndWithoutCloseNotifyAreLost() async throws {
        let (serverContext, clientContext) = (
            try certificate.serverContext(), try certificate.clientContext()
        )
        try await withNetwork { reactor in
            let (client, server) = MemoryTransport.pair()
            let (left, right) = (RecordingProtocol(), RecordingProtocol())
            let serverTLS = TLSTransport(over: server, context: serverContext)
            let clientTLS = TLSTransport(over: client, context: clientContext, serverName: "localhost")
            serverTLS.attach(right)
            clientTLS.attach(left)
            clientTLS.write("part of a message")
            try await eventually { right.text == "part of a message" }
            // As somebody on the way would: an end of the bytes that TLS did not make.
            client.loseConnection()
            try await eventually { right.end != nil && left.end != nil }
            #expect(right.end?.description.contains("cut off") == true)
            #expect(right.end!.isClean == false)
        }
    }

    @Test func aChangedByteBreaksTheConnection() async throws {
        let (serverContext, clientContext) = (
            try certificate.serverContext(), try certificate.clientContext()
        )
        try await withNetwork { reactor in
            let (client, server) = MemoryTransport.pair()
            let (left, right) = (RecordingProtocol(), RecordingProtocol())
            let serverTLS = TLSTransport(over: server, context: serverContext)
            let clientTLS = TLSTransport(over: client, context: clientContext, serverName: "localhost")
            serverTLS.attach(right)
            clientTLS.attach(left)
            try await eventually { left.events == ["made"] && right.events == ["made"] }
            client.tamper = { bytes in
                var changed = bytes
                let last = changed.writerIndex - 1
                changed.setInteger(changed.getInteger(at: last, as: UInt8.self)! ^ 1, at: last)
                return changed
            }
            clientTLS.write("transfer 100")
            try await eventually { right.end != nil && left.end != nil }
            #expect(right.received.readableBytes == 0)
            #expect(!right.end!.isClean)
        }
    }

    // MARK: Settings

    @Test func unusableFilesAreNamed() throws {
        let missing = #expect(throws: TransportError.self) {
            _ = try TLSContext.server(
                certificateChainFile: "/nowhere/c.pem", privateKeyFile: "/nowhere/k.pem")
        }
        #expect(missing?.code == .configuration)
        #expect(missing?.message.contains("/nowhere/c.pem") == true)
        #expect(missing?.message.contains("No such file") == true)

        let other = TestCertificate(names: "DNS:localhost")
        let mismatched = #expect(throws: TransportError.self) {
            _ = try TLSContext.server(
                certificateChainFile: certificate.certificateFile, privateKeyFile: other.keyFile)
        }
        #expect(mismatched?.code == .configuration)
        #expect(throws: TransportError.self) {
            _ = try TLSContext.client(trustRootsFile: "/nowhere/roots.pem")
        }
    }
}

private final class Greeter: LineReceiver {
    func lineReceived(_ line: String) { send("Hello, \(line)") }
}
