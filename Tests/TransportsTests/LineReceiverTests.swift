import Framing
import Greenlets
import NIOCore
import ReactorCore
import ReactorTesting
import TestNetworks
import Testing
import Transports

/// The shape the documentation promises: no `override`, no storage, no import but the module's.
final class Greeter: LineReceiver {
    func lineReceived(_ line: String) { send("Hello, \(line)") }
}

/// Writes down what it is told; a line may ask for something.
final class Lines: LineReceiver {
    var log: [String] = []
    var answersInvalid = false

    func connectionMade() { log.append("made") }
    func connectionLost(_ reason: ConnectionEnd) { log.append("lost") }

    func lineReceived(_ line: String) {
        log.append(line)
        switch line {
        case "pause": pauseProducing()
        case "close": loseConnection()
        case "raw": setRawMode()
        case "later":
            beginWork()
            reactor.callLater(.milliseconds(10)) {
                self.send("at last")
                self.endWork()
            }
        default: break
        }
    }

    func lineEncodingInvalid(_ line: ByteBuffer) {
        log.append("invalid \(line.readableBytes)")
        if answersInvalid { send("error: not UTF-8") } else { loseConnection() }
    }

    func lineLengthExceeded(limit: Int) {
        log.append("over \(limit)")
        send("error: over \(limit)")
        loseConnection()
    }

    func rawDataReceived(_ data: ByteBuffer) {
        log.append("raw \(data.readableBytes)")
        setLineMode(rest: data)
    }
}

@Suite(.timeLimit(.minutes(10))) struct LineReceiverTests {
    @Test func handlerNeedsNeitherOverrideNorStorage() async throws {
        try await withNetwork { reactor in
            let port = try reactor.listenTCP("127.0.0.1", port: 0) { Greeter() }
            let client = try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() }
            client.transport?.write("world\r\nmoon\n\r\n")
            try await eventually { client.text == "Hello, world\r\nHello, moon\r\nHello, \r\n" }
            client.transport?.loseConnection()
            port.stopListening()
            try await eventually { client.end != nil && port.connections.isEmpty }
        }
    }

    /// Serves one `Lines` to a client that sends `input`; returns both when `isDone`.
    @ReactorActor
    private func exchange(
        _ reactor: Reactor, _ input: String, closes: Bool = true, prepare: (Lines) -> Void = { _ in },
        until isDone: @escaping @ReactorActor (Lines, Recorder) -> Bool
    ) async throws -> (server: Lines, client: Recorder) {
        let server = Lines()
        prepare(server)
        let port = try reactor.listenTCP("127.0.0.1", port: 0) { server }
        let client = try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() }
        client.transport?.write(input)
        try await eventually { isDone(server, client) }
        port.stopListening()
        if closes { client.transport?.abortConnection() }
        return (server, client)
    }

    @Test func pauseInsideALineStopsTheRestUntilResume() async throws {  // S61
        try await withNetwork { reactor in
            let (server, client) = try await exchange(reactor, "a\r\npause\r\nb\r\nc\r\n", closes: false) {
                server, _ in
                server.log.contains("pause")
            }
            client.transport?.write("d\r\n")
            try await reactor.sleep(for: .milliseconds(20))
            #expect(server.log == ["made", "a", "pause"])
            server.resumeProducing()
            #expect(server.log == ["made", "a", "pause", "b", "c"])
            try await eventually { server.log.last == "d" }
            client.transport?.abortConnection()
            try await eventually { server.log.last == "lost" && client.end != nil }
        }
    }

    @Test func linesBehindAClosingOneAreNotDelivered() async throws {  // S63
        try await withNetwork { reactor in
            let (server, client) = try await exchange(reactor, "a\r\nclose\r\nb\r\n") { server, client in
                server.log.last == "lost" && client.end != nil
            }
            #expect(server.log == ["made", "a", "close", "lost"])
            #expect(client.end!.isClean)
        }
    }

    @Test func overLongLineMayBeAnsweredBeforeTheClose() async throws {  // S60
        try await withNetwork { reactor in
            let input = "ok\r\n" + String(repeating: "x", count: 300_000) + "\r\nnever\r\n"
            let (server, client) = try await exchange(reactor, input) { server, client in
                server.log.last == "lost" && client.end != nil
            }
            #expect(server.log == ["made", "ok", "over 16384", "lost"])
            #expect(client.text == "error: over 16384\r\n")
        }
    }

    @Test(arguments: [20_000, 16_385]) func overLongLineClosesByDefault(_ length: Int) async throws {  // S60
        try await withNetwork { _ in
            for delimiter in ["", "\r\n"] {
                let transport = StringTransport()
                defer { transport.end() }
                let greeter = Greeter()
                transport.attach(greeter)
                transport.receive("a\r\n" + String(repeating: "x", count: length) + delimiter + "b\r\n")
                #expect(transport.text == "Hello, a\r\n")
                #expect(transport.isDisconnecting)
            }
        }
    }

    @Test func longestLineIsDelivered() async throws {
        try await withNetwork { _ in
            let transport = StringTransport()
            defer { transport.end() }
            transport.attach(Greeter())
            let line = String(repeating: "x", count: 16_384)
            transport.receive(line)
            #expect(!transport.isDisconnecting)
            transport.receive("\r\n")
            #expect(transport.text == "Hello, \(line)\r\n")
        }
    }

    @Test func anotherFramerHasOtherRules() async throws {
        try await withNetwork { _ in
            let transport = StringTransport()
            defer { transport.end() }
            let greeter = Greeter()
            greeter.framer = LineFramer(delimiter: .carriageReturnLineFeed, maxLength: 5)
            transport.attach(greeter)
            transport.receive("a\nb\r\n")
            #expect(transport.text == "Hello, a\nb\r\n")
            transport.receive("123456")
            #expect(transport.isDisconnecting)
        }
    }

    @Test func invalidUTF8ClosesUnlessTheHookKeepsTheConnection() async throws {
        try await withNetwork { reactor in
            let kept = Lines()
            kept.answersInvalid = true
            let port = try reactor.listenTCP("127.0.0.1", port: 0) { kept }
            let client = try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() }
            client.transport?.write(contentsOf: [0x61, 0xff, 0xfe, 0x0a, 0x62, 0x0a])
            try await eventually {
                kept.log == ["made", "invalid 3", "b"] && client.text == "error: not UTF-8\r\n"
            }
            client.transport?.abortConnection()
            try await eventually { client.end != nil && kept.log.last == "lost" }

            let closing = Greeter()
            let second = try reactor.listenTCP("127.0.0.1", port: 0) { closing }
            let other = try await reactor.connectTCP("127.0.0.1", port: second.port) { Recorder() }
            other.transport?.write(contentsOf: [0xff, 0x0a, 0x62, 0x0a])
            try await eventually { other.end != nil && second.connections.isEmpty }
            #expect(other.text == "")
            #expect(other.end!.isClean)
            port.stopListening()
            second.stopListening()
        }
    }

    @Test func rawAndLineModeAlternateWithoutRecursion() async throws {  // S61 test_stackRecursion
        try await withNetwork { reactor in
            let rounds = 5000
            let input = String(repeating: "raw\r\n", count: rounds) + "end\r\n"
            let (server, client) = try await exchange(reactor, input) { server, _ in
                server.log.contains("end")
            }
            #expect(server.log.filter { $0 == "raw" }.count == rounds)
            #expect(server.log.filter { $0.hasPrefix("raw ") }.count >= rounds)
            try await eventually { server.log.last == "lost" && client.end != nil }
        }
    }

    @Test func announcedWorkIsAnsweredThoughThePeerStoppedSending() async throws {
        try await withNetwork { reactor in
            let server = Lines()
            let port = try reactor.listenTCP("127.0.0.1", port: 0) { server }
            let client = try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() }
            client.transport?.write("later\r\n")
            client.transport?.loseWriteConnection()
            try await eventually { client.end != nil && server.log.last == "lost" }
            port.stopListening()
            #expect(client.text == "at last\r\n")
            #expect(client.end!.isClean)
        }
    }

    @Test func greenletsAnswerTwoClientsAtOnce() async throws {
        try await withNetwork { reactor in
            let sleepers = Sleepers()
            let port = try reactor.listenTCP("127.0.0.1", port: 0) { Sleeper(sleepers) }
            let clients = [
                try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() },
                try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() },
            ]
            for client in clients { client.transport?.write("x\r\n") }
            try await eventually { clients.allSatisfy { $0.text == "slept x\r\n" } }
            #expect(sleepers.most == 2)
            port.stopListening()
            for client in clients { client.transport?.loseConnection() }
            try await eventually { clients.allSatisfy { $0.end != nil } && port.connections.isEmpty }
        }
    }
}

/// How many sleep at a time.
@ReactorActor private final class Sleepers {
    var count = 0
    var most = 0
}

/// The shape of source 000: blocking-looking work in a greenlet, its value sent by a callback.
private final class Sleeper: LineReceiver {
    private let sleepers: Sleepers

    init(_ sleepers: Sleepers) { self.sleepers = sleepers }

    func lineReceived(_ line: String) {
        let sleepers = sleepers
        reactor.deferToGreenlet {
            sleepers.count += 1
            sleepers.most = max(sleepers.most, sleepers.count)
            // Long enough for the other client's line to come on a busy machine.
            try Greenlet.sleep(for: .milliseconds(500))
            sleepers.count -= 1
            return "slept \(line)"
        }
        .addCallback { self.send($0) }
    }
}
