import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite(.everyBackend) struct GreenSocketTests {
    @Test func clientAndServerTalkInSynchronousGreenlets() async throws {
        try await withReactor { _ in
            let listener = try GreenSocket.listen(port: 0)
            let port = try #require(try listener.localAddress.port)
            let server = Greenlet.spawn { () throws -> [String] in
                try withSocket(try listener.accept()) { (client: GreenSocket) throws in
                    var lines: [String] = []
                    try client.lines().forEach { lines.append($0) }
                    try client.sendAll("heard \(lines.count)\n")
                    return lines
                }
            }
            let client = Greenlet.spawn { () throws -> [UInt8] in
                let socket = try GreenSocket.connect(to: "localhost", port: port, from: nil)
                try socket.sendAll("one\r\ntwo\n\nlast")
                try socket.shutdown(.write)
                defer { socket.close() }
                return try socket.receiveToEnd()
            }
            let heard = try await client.get()
            #expect(String(decoding: heard, as: UTF8.self) == "heard 4\n")
            #expect(try await server.get() == ["one", "two", "", "last"])
            listener.close()
        }
    }

    @Test func asyncFormsDoTheSame() async throws {
        try await withReactor { _ in
            let listener = try GreenSocket.listen(port: 0)
            let address = try listener.localAddress
            let server = Greenlet.spawn { () async throws in
                try await withSocket(listener.accept()) { client in
                    for try await chunk in client.chunks(atMost: 3) { try await client.sendAll(chunk) }
                }
            }
            try await withSocket(.connect(to: address)) { socket in
                #expect(try socket.remoteAddress == address)
                #expect(try socket.localAddress.host == "127.0.0.1")
                try await socket.sendAll([1, 2, 3, 4, 5])
                #expect(try await socket.receive(exactly: 5) == [1, 2, 3, 4, 5])
                try socket.shutdown(.write)
                #expect(try await socket.receive().isEmpty)
            }
            try await server.get()
            listener.close()
        }
    }

    @Test func closeWakesABlockedReaderWithEBADF() async throws {  // S57
        try await withReactor { reactor in
            let (one, other) = try GreenSocket.pair()
            let reader = Greenlet.spawn { () -> (any Error)? in
                do { _ = try one.receive() } catch { return error }
                return nil
            }
            let asyncReader = Greenlet.spawn { () async -> (any Error)? in
                do { _ = try await other.receive() } catch { return error }
                return nil
            }
            while reactor.watchedDescriptors.count < 2 { await reactor.yield() }
            one.close()
            other.close()
            for greenlet in [reader, asyncReader] {
                let error = try #require(try await greenlet.get() as? GreenletError)
                #expect(error.code == .closed)
                #expect(error.errno == EBADF)
            }
            #expect(one.isClosed)
            #expect(one.descriptor == -1)
            let error = await #expect(throws: GreenletError.self) { try await one.receive() }
            #expect(error?.code == .closed)
        }
    }

    @Test func secondReaderGetsAnErrorAndTheFirstIsNotDisturbed() async throws {  // S57
        try await withReactor { _ in
            let (one, other) = try GreenSocket.pair()
            let first = Greenlet.spawn { () async throws in try await one.receive(exactly: 2) }
            await Greenlet.yield()
            let error = await #expect(throws: GreenletError.self) { try await one.receive() }
            #expect(error?.code == .busy)
            // Half of what the first wants: it is between two waits, and still the only reader.
            try await other.sendAll([1])
            let again = await #expect(throws: GreenletError.self) { try await one.receive() }
            #expect(again?.code == .busy)
            try await one.sendAll("the other direction is free")
            try await other.sendAll([2])
            #expect(try await first.get() == [1, 2])
        }
    }

    @Test func timeoutsSayTimedOutAndLoseNothing() async throws {  // S66a
        try await withReactor { reactor in
            let (one, other) = try GreenSocket.pair()
            try await other.sendAll([7])
            let error = await #expect(throws: GreenletError.self) {
                try await one.receive(exactly: 2, timeout: .milliseconds(2))
            }
            #expect(error?.isTimeout == true)
            #expect(error?.message.hasPrefix("timed out: receive took longer than") == true)
            one.timeout = .milliseconds(2)
            let standard = await #expect(throws: GreenletError.self) {
                try await one.receive(exactly: 2)
            }
            #expect(standard?.isTimeout == true)
            try await other.sendAll([8])
            #expect(try await one.receive(exactly: 2) == [7, 8])
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }

    @Test func sendAllThatIsOutOfTimeSaysHowMuchWasSent() async throws {  // S66a
        try await withReactor { _ in
            let (one, _other) = try GreenSocket.pair()
            let error = await #expect(throws: GreenletError.self) {
                try await one.sendAll([UInt8](repeating: 1, count: 8 << 20), timeout: .milliseconds(20))
            }
            #expect(error?.isTimeout == true)
            #expect(error?.message.hasSuffix("of 8388608 bytes sent") == true)
            _other.close()
            let broken = await #expect(throws: GreenletError.self) { try await one.send([1]) }
            #expect(broken?.errno == EPIPE)
        }
    }

    @Test func endOfStreamBeforeAllThatWasAskedFor() async throws {
        try await withReactor { _ in
            let (one, other) = try GreenSocket.pair()
            try await other.sendAll([1, 2, 3])
            other.close()
            let error = await #expect(throws: GreenletError.self) { try await one.receive(exactly: 10) }
            #expect(error?.code == .endOfStream)
            #expect(error?.message == "the peer ended the stream after 3 of 10 bytes")
            #expect(try await one.receive() == [1, 2, 3])
            #expect(try await one.receive().isEmpty)
        }
    }

    @Test func lineLimitHolds() async throws {
        try await withReactor { _ in
            let (one, other) = try GreenSocket.pair()
            try await other.sendAll("1234\r\n12345\n")
            #expect(try await one.receiveLine(atMost: 4) == Array("1234".utf8))
            let error = await #expect(throws: GreenletError.self) { try await one.receiveLine(atMost: 4) }
            #expect(error?.code == .tooLong)
            try await other.sendAll("endless")
            let endless = await #expect(throws: GreenletError.self) { try await one.receiveLine(atMost: 4) }
            #expect(endless?.code == .tooLong)
        }
    }

    @Test func releasedSocketIsClosed() async throws {
        try await withReactor { _ in
            var pair: (GreenSocket, GreenSocket)? = try GreenSocket.pair()
            let one = pair!.0
            pair = nil
            #expect(try await one.receive().isEmpty)
        }
    }

    @Test func detachedDescriptorIsTheCallers() async throws {
        try await withReactor { _ in
            let (one, other) = try GreenSocket.pair()
            let fd = try #require(one.detach())
            #expect(one.isClosed)
            #expect(one.detach() == nil)
            let again = try GreenSocket(adopting: fd)
            try await other.sendAll([1])
            #expect(try await again.receive() == [1])
            #expect(throws: GreenletError.self) { try GreenSocket(adopting: .max) }
        }
    }

    @Test func optionsAreReadAsSet() async throws {
        try await withReactor { _ in
            let socket = try GreenSocket(.ipv4)
            for option in [GreenSocket.Option<Bool>.noDelay, .keepAlive, .reuseAddress, .reusePort] {
                #expect(try !socket.value(of: option))
                try socket.set(option, to: true)
                #expect(try socket.value(of: option))
            }
            try socket.set(.sendBufferSize, to: 20_000)
            #expect(try socket.value(of: .sendBufferSize) >= 20_000)
            try socket.set(.receiveBufferSize, to: 20_000)
            #expect(try socket.value(of: .receiveBufferSize) >= 20_000)
            try socket.set(.keepAliveIdle, to: 30)
            #expect(try socket.value(of: .keepAliveIdle) == 30)
            let unix = try GreenSocket(.unix)
            let error = #expect(throws: GreenletError.self) { try unix.set(.noDelay, to: true) }
            #expect(error?.code == .systemCall)
            #expect(error?.message.contains("TCP_NODELAY") == true)
        }
    }

    /// A reader that is cancelled again and again, at any point, misses nothing and reads nothing twice.
    @Test(arguments: [UInt64](0..<6)) func cancelledReadsLoseNothing(seed: UInt64) async throws {
        try await withReactor { reactor in
            var random = SeededGenerator(seed: seed)
            let (one, other) = try GreenSocket.pair()
            let sent = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let writer = Greenlet.spawn { () async throws in
                for start in stride(from: 0, to: sent.count, by: 100) {
                    try await other.sendAll(Array(sent[start..<start + 100]))
                    await reactor.yield()
                }
                other.close()
            }
            var received: [UInt8] = []
            while received.count < sent.count {
                let count = min(Int.random(in: 1...300, using: &random), sent.count - received.count)
                let isSynchronous = Bool.random(using: &random)
                let reader =
                    isSynchronous
                    ? Greenlet.spawn { try one.receive(exactly: count) }
                    : Greenlet.spawn { () async throws in try await one.receive(exactly: count) }
                for _ in 0..<Int.random(in: 0..<5, using: &random) { await reactor.yield() }
                if Bool.random(using: &random) { reader.cancel() }
                // Its task may have had them before it was cancelled: then it has a value.
                if let bytes = try? await reader.get() { received += bytes }
            }
            #expect(received == sent, "seed \(seed)")
            try await writer.get()
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }
}
