import Glibc
import Greenlets
import NIOCore
import ReactorCore
import ReactorTesting
import TestCertificates
import Testing
import Transports

@testable import TransportTLS

/// Two ends of a socket pair that speak TLS with each other.
@Suite(.timeLimit(.minutes(10))) struct TLSStreamTests {
    static let certificate = TestCertificate(names: "DNS:lookup.example,IP:127.0.0.1")

    @ReactorActor static func pair(
        _ clientProtocols: [String] = [], _ serverProtocols: [String] = []
    ) async throws -> (client: TLSStream, server: TLSStream) {
        let (one, other) = try GreenSocket.pair()
        let context = try certificate.serverContext(serverProtocols)
        let server = Greenlet.spawn { () async throws in
            try await TLSStream.wrap(other, context: context)
        }
        let client = try await TLSStream.wrap(
            one, context: try certificate.clientContext(clientProtocols), serverName: "lookup.example")
        return (client, try await server.get())
    }

    // MARK: Handshake

    @Test func whatIsSentArrivesAndIsSecretOnTheWay() async throws {
        try await withReactor { (_) async throws in
            let (client, server) = try await Self.pair()
            #expect(client.version == "TLSv1.3" && client.applicationProtocol == nil)
            try await client.sendAll("a secret\nand another\r\nand the rest")
            let raw = try await server.socket.receive()
            #expect(!String(decoding: raw, as: UTF8.self).contains("secret"))
            server.socket.unread(raw)
            #expect(try await server.receiveLine() == Array("a secret".utf8))
            #expect(try await server.receive(exactly: 3) == Array("and".utf8))
            #expect(try await server.receive(atMost: 2) == Array(" a".utf8))
            try await client.closeWriting()
            var lines: [String] = []
            for try await line in server.lines() { lines.append(line) }
            #expect(lines == ["nother", "and the rest"])
            #expect(try await server.receive().isEmpty, "the end stays the end")
            client.close()
            server.close()
        }
    }

    @Test func synchronousCodeReadsLineAfterLine() async throws {
        let context = try Self.certificate.serverContext()
        try await withReactor { (_) async throws in
            let listener = try GreenSocket(.ipv4)
            try listener.bind(to: .init("127.0.0.1", port: 0))
            try listener.listen()
            let port = try #require(try listener.localAddress.port)
            let server = Greenlet.spawn { () throws -> Void in
                let stream = try TLSStream.wrap(try listener.accept(), context: context)
                try stream.lines().forEach { line in try stream.sendAll("you said \(line)\n") }
                try stream.closeWriting()
                stream.close()
            }
            let client = Greenlet.spawn { () throws -> [String] in
                let stream = try TLSStream.connect(
                    to: "127.0.0.1", port: port, context: try Self.certificate.clientContext(),
                    timeout: .seconds(60))
                try stream.sendAll("one\ntwo\n")
                try stream.closeWriting()
                var lines: [String] = []
                try stream.lines().forEach { lines.append($0) }
                stream.close()
                return lines
            }
            #expect(try await client.get() == ["you said one", "you said two"])
            try await server.get()
            listener.close()
        }
    }

    @Test(arguments: [
        (["h2", "http/1.1"], ["http/1.1"], "http/1.1"),
        (["h2", "http/1.1"], ["http/1.1", "h2"], "http/1.1"),
        (["h2"], [], nil), ([], ["h2"], nil),
    ])
    func theServersFirstProtocolThatTheClientOffersIsAgreedOn(
        _ offered: [String], _ known: [String], _ agreed: String?
    ) async throws {
        try await withReactor { (_) async throws in
            let (client, server) = try await Self.pair(offered, known)
            #expect(client.applicationProtocol == agreed && server.applicationProtocol == agreed)
            client.close()
            server.close()
        }
    }

    @Test func withoutAProtocolInCommonTheHandshakeFails() async throws {
        let (server, client) = (
            try Self.certificate.serverContext(["smtp"]), try Self.certificate.clientContext(["h2"])
        )
        try await withReactor { (_) async throws in
            let (one, other) = try GreenSocket.pair()
            let refusing = Greenlet.spawn { () async throws in
                let error = await #expect(throws: TransportError.self) {
                    try await TLSStream.wrap(other, context: server)
                }
                #expect(error?.message.contains("no application protocol") == true, "\(error!)")
            }
            let error = await #expect(throws: TransportError.self) {
                try await TLSStream.wrap(one, context: client, serverName: "lookup.example")
            }
            #expect(error?.code == .handshakeFailed)
            #expect(error?.message.contains("no application protocol") == true, "\(error!)")
            try await refusing.get()
        }
    }

    @Test func impossibleNamesOfProtocolsAreRefused() throws {
        let long = String(repeating: "x", count: 256)
        for name in ["", long] {
            let error = #expect(throws: TransportError.self) {
                _ = try TLSContext.client(applicationProtocols: ["h2", name])
            }
            #expect(error?.code == .configuration && error?.message.contains("1 to 255 bytes") == true)
        }
    }

    @Test func aWrongNameIsRefusedAndBothSocketsAreClosed() async throws {
        let context = try Self.certificate.serverContext()
        try await withReactor { (_) async throws in
            let (one, other) = try GreenSocket.pair()
            let server = Greenlet.spawn { () async throws in
                try await TLSStream.wrap(other, context: context).close()
            }
            let error = await #expect(throws: TransportError.self) {
                try await TLSStream.wrap(
                    one, context: try Self.certificate.clientContext(), serverName: "other.example")
            }
            #expect(error?.code == .handshakeFailed)
            #expect(error?.message.contains("hostname mismatch") == true, "\(error!)")
            let serverError = await #expect(throws: TransportError.self) { try await server.get() }
            #expect(serverError?.message.contains("alert") == true, "\(serverError!)")
            #expect(one.isClosed && other.isClosed)
        }
    }

    @Test func withoutANameToVerifyNothingBegins() async throws {
        try await withReactor { (_) async throws in
            let (one, other) = try GreenSocket.pair()
            let error = await #expect(throws: TransportError.self) {
                try await TLSStream.wrap(one, context: try Self.certificate.clientContext())
            }
            #expect(error?.message.contains("no server name") == true && one.isClosed)
            #expect(try await other.receive().isEmpty)
        }
    }

    @Test func aSilentPeerEndsTheHandshakeAtItsTimeout() async throws {
        try await withReactor { (_) async throws in
            let (one, other) = try GreenSocket.pair()
            let error = await #expect(throws: GreenletError.self) {
                try await TLSStream.wrap(
                    one, context: try Self.certificate.clientContext(), serverName: "lookup.example",
                    timeout: .milliseconds(20))
            }
            #expect(error?.isTimeout == true && error?.message.contains("handshake over TLS") == true)
            #expect(one.isClosed)
            withExtendedLifetime(other) {}
        }
    }

    // MARK: Ends

    @Test func bytesThatEndWithoutCloseNotifyWereCutOff() async throws {
        try await withReactor { (_) async throws in
            let (client, server) = try await Self.pair()
            try await server.sendAll("half a ")
            server.socket.close()
            #expect(try await client.receive() == Array("half a ".utf8))
            for _ in 1...2 {
                let error = await #expect(throws: TransportError.self) { try await client.receive() }
                #expect(error?.code == .connectionLost && error?.message.contains("cut off") == true)
            }
            client.close()
        }
    }

    @Test func closeTellsThePeerWithoutWaiting() async throws {
        try await withReactor { (_) async throws in
            let (client, server) = try await Self.pair()
            client.close()
            client.close()
            #expect(client.isClosed)
            #expect(try await server.receive().isEmpty)
            let error = await #expect(throws: GreenletError.self) { try await client.receive() }
            #expect(error?.code == .closed)
            server.close()
        }
    }

    @Test func closeWakesWhoeverReads() async throws {
        try await withReactor { (reactor) async throws in
            let (client, server) = try await Self.pair()
            let reader = Greenlet.spawn { () async throws in try await client.receive() }
            await reactor.yield()
            client.close()
            let error = await #expect(throws: GreenletError.self) { try await reader.get() }
            #expect(error?.code == .closed)
            server.close()
        }
    }

    @Test func changedBytesBreakTheStream() async throws {
        try await withReactor { (_) async throws in
            let (client, server) = try await Self.pair()
            try await client.sendAll("to be changed on the way")
            var raw = try await server.socket.receive()
            raw[raw.count - 1] ^= 1
            server.socket.unread(raw)
            let error = await #expect(throws: TransportError.self) { try await server.receive() }
            #expect(error?.code == .connectionLost && error?.message.contains("broke") == true)
            let again = await #expect(throws: TransportError.self) { try await server.sendAll("x") }
            #expect(again?.message == error?.message)
            client.close()
            server.close()
        }
    }

    @Test func unwrapGivesBackASocketThatGoesOnInPlain() async throws {
        try await withReactor { (_) async throws in
            let (client, server) = try await Self.pair()
            let other = Greenlet.spawn { () async throws -> (GreenSocket, [UInt8]) in
                let socket = try await server.unwrap()
                let unread = try await server.receiveToEnd()
                // Behind the close_notify, perhaps in one packet with it.
                try await socket.sendAll("plain\n")
                return (socket, unread)
            }
            try await client.sendAll("the last words")
            let plain = try await client.unwrap(timeout: .seconds(60))
            let (otherPlain, unread) = try await other.get()
            #expect(String(decoding: unread, as: UTF8.self) == "the last words")
            #expect(try await plain.receiveLine() == Array("plain".utf8))
            #expect(client.isClosed && !plain.isClosed)
            client.close()
            #expect(!plain.isClosed, "it is the caller's")
            let error = await #expect(throws: GreenletError.self) { try await client.sendAll("x") }
            #expect(error?.code == .closed)
            plain.close()
            otherPlain.close()
        }
    }

    @Test func plainBytesRightBehindTheEndAreTheSocketsAgain() async throws {
        try await withReactor { (_) async throws in
            let (client, server) = try await Self.pair()
            // The peer's end and what follows come in one read.
            try await server.closeWriting()
            try await server.socket.sendAll("plain")
            let plain = try await client.unwrap()
            #expect(try await plain.receive(exactly: 5) == Array("plain".utf8))
            plain.close()
            server.close()
        }
    }

    @Test func unwrapOfASilentPeerTakesNoLongerThanItsTimeout() async throws {
        try await withReactor { (_) async throws in
            let (client, server) = try await Self.pair()
            let error = await #expect(throws: GreenletError.self) {
                try await client.unwrap(timeout: .milliseconds(20))
            }
            #expect(error?.isTimeout == true && error?.message.contains("unwrap") == true, "\(error!)")
            #expect(!client.isClosed)
            client.close()
            server.close()
        }
    }
}
