import NIOCore
import ReactorCore
import ReactorTesting
import TestNetworks
import Testing
import Transports

@Suite(.timeLimit(.minutes(10))) struct TransportContractTests {
    @Test(arguments: TransportContract.allCases)
    func memoryKeepsTheContract(_ clause: TransportContract) async throws {
        try await withNetwork { reactor in
            // Held here: each end knows the other weakly, and a protocol holds its end only while it is not over.
            let (client, server) = MemoryTransport.pair()
            try await clause.verify(reactor) { left, right in
                server.attach(right)
                client.attach(left)
            }
            withExtendedLifetime((client, server)) {}
        }
    }

    @Test(arguments: TransportContract.allCases)
    func tcpKeepsTheContract(_ clause: TransportContract) async throws {
        try await withNetwork { reactor in
            try await clause.verify(reactor) { left, right in
                let port = try reactor.listenTCP("127.0.0.1", port: 0) { right }
                _ = try await reactor.connectTCP("127.0.0.1", port: port.port) { left }
                try await eventually { !right.events.isEmpty }
                port.stopListening()
            }
        }
    }

    /// From the side of the server, whose options differ.
    @Test(arguments: TransportContract.allCases)
    func acceptedTCPKeepsTheContract(_ clause: TransportContract) async throws {
        try await withNetwork { reactor in
            try await clause.verify(reactor) { left, right in
                let port = try reactor.listenTCP("127.0.0.1", port: 0) { left }
                _ = try await reactor.connectTCP("127.0.0.1", port: port.port) { right }
                try await eventually { !left.events.isEmpty }
                port.stopListening()
            }
        }
    }

    @Test func cutCableLosesBothEnds() async throws {
        try await withNetwork { reactor in
            let (client, server) = MemoryTransport.pair()
            let (left, right) = (Recorder(), Recorder())
            client.attach(left)
            server.attach(right)
            client.write("on the way")
            client.cut()
            try await eventually { left.end != nil && right.end != nil }
            #expect(left.end!.error?.code == .connectionLost)
            #expect(right.end!.error?.code == .connectionLost)
            #expect(right.text == "")
        }
    }

    @Test func stringTransportShowsWhatAProtocolDoes() async throws {
        try await withNetwork { _ in
            let transport = StringTransport()
            let lines = Lines()
            transport.attach(lines)
            transport.receive("one\r")
            transport.receive("\npause\r\ntwo\r\n")
            #expect(transport.isPaused)
            #expect(lines.log == ["made", "one", "pause"])
            lines.resumeProducing()
            #expect(!transport.isPaused)
            #expect(lines.log.last == "two")

            lines.send("answer")
            lines.loseConnection()
            lines.send("ignored")
            #expect(transport.isDisconnecting)
            #expect(transport.text == "answer\r\n")
            transport.receive("late\r\n")
            transport.end()
            #expect(lines.log.suffix(2) == ["two", "lost"])
        }
    }

    @Test func stringTransportPausesProducersWhileBlocked() async throws {
        try await withNetwork { _ in
            let transport = StringTransport(highWaterMark: 10)
            let producer = CountingProducer()
            transport.registerProducer(producer)
            transport.write("far more than ten bytes")
            #expect(producer.log.isEmpty)
            transport.isBlocked = true
            transport.write("0123456789")
            #expect(producer.log.isEmpty)
            transport.write("x")
            transport.drain()
            transport.end()
            #expect(producer.log == ["pause", "resume", "stop"])
        }
    }
}
