import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@testable import TransportTLS

/// Much at once, in both directions, with cancellation.
@Suite(.timeLimit(.minutes(10))) struct TLSStreamTrafficTests {
    @Test(arguments: [UInt64](0..<8)) func bothDirectionsAtOnceKeepEveryByte(seed: UInt64) async throws {
        try await withReactor { (_) async throws in
            let (client, server) = try await TLSStreamTests.pair()
            let streams = [client, server]
            let writers = streams.enumerated().map { index, stream in
                Greenlet.spawn { () async throws -> [UInt8] in
                    var random = SeededGenerator(seed: seed &* 2 &+ UInt64(index))
                    var sent: [UInt8] = []
                    for _ in 0..<20 {
                        let count = Int.random(in: 0..<100_000, using: &random)
                        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index) }
                        try await stream.sendAll(bytes)
                        sent += bytes
                    }
                    try await stream.closeWriting()
                    return sent
                }
            }
            let readers = streams.enumerated().map { index, stream in
                Greenlet.spawn { () async throws -> [UInt8] in
                    var random = SeededGenerator(seed: ~seed &+ UInt64(index))
                    var received: [UInt8] = []
                    while true {
                        let limit = Int.random(in: 1..<50_000, using: &random)
                        let bytes = try await stream.receive(atMost: limit)
                        if bytes.isEmpty { return received }
                        #expect(bytes.count <= limit)
                        received += bytes
                    }
                }
            }
            for index in 0..<2 {
                let (sent, received) = (try await writers[index].get(), try await readers[1 - index].get())
                #expect(sent == received)
            }
            client.close()
            server.close()
        }
    }

    @Test func aReadThatIsCancelledOrOutOfTimeLosesNothing() async throws {
        try await withReactor { (reactor) async throws in
            let (client, server) = try await TLSStreamTests.pair()
            let reader = Greenlet.spawn { () async throws in try await server.receive(exactly: 10) }
            try await client.sendAll("01234")
            try await reactor.sleep(for: .milliseconds(5))
            try await reader.kill()
            let error = await #expect(throws: GreenletError.self) {
                try await server.receive(exactly: 10, timeout: .milliseconds(5))
            }
            #expect(error?.isTimeout == true)
            try await client.sendAll("56789")
            #expect(try await server.receive(exactly: 10) == Array("0123456789".utf8))
            client.close()
            server.close()
        }
    }

    /// The half of a record that the kernel did not take is sent by whoever sends next.
    @Test func aSendThatIsCancelledLeavesTheStreamWhole() async throws {
        try await withReactor { (reactor) async throws in
            let (client, server) = try await TLSStreamTests.pair()
            let zeros = [UInt8](repeating: 0, count: 5_000_000)
            let writer = Greenlet.spawn { () async throws in try await client.sendAll(zeros) }
            try await reactor.sleep(for: .milliseconds(20))
            #expect(!writer.isReady, "the peer does not read")
            try await writer.kill()
            let error = await #expect(throws: GreenletError.self) {
                try await client.sendAll(zeros, timeout: .milliseconds(5))
            }
            #expect(error?.isTimeout == true && error?.message.contains("send over TLS") == true, "\(error!)")
            let reader = Greenlet.spawn { () async throws in try await server.receiveToEnd() }
            try await client.sendAll("the end")
            try await client.closeWriting()
            let received = try await reader.get()
            #expect(received.suffix(7) == Array("the end".utf8)[...])
            #expect(received.dropLast(7).allSatisfy { $0 == 0 } && received.count > 65_536)
            client.close()
            server.close()
        }
    }

    @Test func aSecondReaderOrWriterIsRefusedAndTheFirstGoesOn() async throws {
        try await withReactor { (reactor) async throws in
            let (client, server) = try await TLSStreamTests.pair()
            let reader = Greenlet.spawn { () async throws in try await client.receiveLine() }
            let writer = Greenlet.spawn { () async throws in
                try await client.sendAll([UInt8](repeating: 0, count: 5_000_000))
            }
            try await reactor.sleep(for: .milliseconds(20))
            let second = await #expect(throws: GreenletError.self) { try await client.receive() }
            #expect(second?.code == .busy && second?.message.contains("reads from") == true)
            let third = await #expect(throws: GreenletError.self) { try await client.sendAll("x") }
            #expect(third?.code == .busy && third?.message.contains("writes to") == true)
            try await server.sendAll("a line\n")
            #expect(try await reader.get() == Array("a line".utf8))
            #expect(try await server.receive(exactly: 5_000_000).count == 5_000_000)
            try await writer.get()
            client.close()
            server.close()
        }
    }
}
