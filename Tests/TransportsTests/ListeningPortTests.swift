import Glibc
import NIOCore
import ReactorCore
import ReactorTesting
import TestNetworks
import Testing
import Transports

@Suite(.timeLimit(.minutes(10))) struct ListeningPortTests {
    @Test func portZeroTakesAFreeOneAndSaysWhich() async throws {
        try await withNetwork { reactor in
            let port = try reactor.listenTCP("127.0.0.1", port: 0) { Recorder() }
            #expect(port.port > 0)
            #expect(port.localAddress.hostAndPort == "127.0.0.1:\(port.port)")
            #expect(port.isListening)
            port.stopListening()
            port.stopListening()
            #expect(!port.isListening)
        }
    }

    @Test func takenPortIsNamedWithItsCause() async throws {
        try await withNetwork { reactor in
            let port = try reactor.listenTCP("127.0.0.1", port: 0) { Recorder() }
            let error = #expect(throws: TransportError.self) {
                try reactor.listenTCP("127.0.0.1", port: port.port) { Recorder() }
            }
            #expect(error?.code == .cannotListen)
            #expect(error?.errno == EADDRINUSE)
            #expect(
                error?.message.hasPrefix("cannot listen on 127.0.0.1:\(port.port): Address already in use")
                    == true)
            port.stopListening()
        }
    }

    @Test(arguments: [("203.0.113.7", 0), ("example.org", 80), ("127.0.0.1", 70_000), ("127.0.0.1", -1)])
    func unusableAddressIsAClearError(_ host: String, _ port: Int) async throws {
        try await withNetwork { reactor in
            let error = #expect(throws: TransportError.self) {
                try reactor.listenTCP(host, port: port) { Recorder() }
            }
            #expect(error?.code == .cannotListen)
            #expect(error?.message.contains(host) == true)
        }
    }

    @Test func aStoppedPortCanBeListenedOnAgainAtOnce() async throws {
        try await withNetwork { reactor in
            // An address that no other test uses: the port must not go to one of them in between.
            let pair = try await TCPPair(reactor, host: "127.0.0.77")
            let number = pair.port.port
            pair.server.transport?.loseConnection()
            try await eventually { pair.client.end != nil && pair.server.end != nil }
            pair.port.stopListening()
            // The server closed first, so its side is in TIME_WAIT.
            let again = try reactor.listenTCP("127.0.0.77", port: number) { Recorder() }
            again.stopListening()
        }
    }

    @Test func nilProtocolRefusesTheConnection() async throws {  // S66 test_buildProtocolReturnsNone
        try await withNetwork { reactor in
            let port = try reactor.listenTCP("127.0.0.1", port: 0) { nil }
            let client = try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() }
            try await eventually { client.end != nil }
            #expect(client.received.readableBytes == 0)
            #expect(port.connections.isEmpty)
            port.stopListening()
        }
    }

    @Test func factorySeesThePeer() async throws {
        try await withNetwork { reactor in
            var peers: [String] = []
            let port = try reactor.listenTCP("127.0.0.1", port: 0) { (peer: SocketAddress) in
                peers.append(peer.hostAndPort)
                return nil
            }
            let client = try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() }
            try await eventually { client.end != nil }
            #expect(peers == [client.transport!.host.hostAndPort])
            port.stopListening()
        }
    }

    @Test func gracefulStopClosesIdleConnectionsAndAbortsTheRest() async throws {
        try await withNetwork { reactor in
            var made: [Recorder] = []
            let port = try reactor.listenTCP("127.0.0.1", port: 0) {
                let recorder = Recorder()
                made.append(recorder)
                return made.count == 2 ? StubbornProtocol(recorder) : recorder
            }
            let idle = try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() }
            let stubborn = try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() }
            try await eventually { port.connections.count == 2 }
            #expect(await port.stop(gracePeriod: .seconds(2)) == 1)
            #expect(port.connections.isEmpty)
            #expect(made[0].end!.isClean)
            #expect(made[1].end!.isAborted)
            try await eventually { idle.end != nil && stubborn.end != nil }
        }
    }

    @Test func cancelledStopAbortsAtOnce() async throws {
        try await withNetwork { reactor in
            let port = try reactor.listenTCP("127.0.0.1", port: 0) { StubbornProtocol(Recorder()) }
            let client = try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() }
            try await eventually { port.connections.count == 1 }
            let stop = Task { @ReactorActor in await port.stop(gracePeriod: .seconds(600)) }
            await reactor.yield()
            stop.cancel()
            #expect(await stop.value == 1)
            try await eventually { client.end != nil }
        }
    }

    /// S66, test_closePeerOnEMFILE. In a process of its own: running out of descriptors would fail every other test in this one.
    @Test func withoutDescriptorsConnectionsAreRefusedAndServiceGoesOn() async {
        await #expect(processExitsWith: .success) {
            let reactor = Reactor()
            try reactor.run(until: {
                let port = try reactor.listenTCP("127.0.0.1", port: 0) { Greeter() }
                let client = try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() }
                try await eventually { port.connections.count == 1 }
                // Three sockets that have no counterpart yet, then every other number is taken.
                let waiting = (0..<3).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
                var limit = rlimit(rlim_cur: 64, rlim_max: 64)
                setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
                var hogs: [Int32] = []
                while case let fd = open("/dev/null", O_RDONLY), fd >= 0 { hogs.append(fd) }
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_addr.s_addr = inet_addr("127.0.0.1")
                address.sin_port = in_port_t(port.port).bigEndian
                for fd in waiting {
                    withUnsafeBytes(of: &address) { raw in
                        let pointer = raw.baseAddress!.assumingMemoryBound(to: sockaddr.self)  // C's own cast
                        _ = connect(fd, pointer, socklen_t(raw.count))
                    }
                }
                // Each is accepted and closed: its next read is the end.
                var byte: UInt8 = 0
                try await eventually { waiting.allSatisfy { recv($0, &byte, 1, Int32(MSG_DONTWAIT)) == 0 } }
                for fd in hogs { close(fd) }
                // The connection of before, and a new one, are served as ever.
                client.transport?.write("old\r\n")
                let new = try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() }
                new.transport?.write("new\r\n")
                try await eventually { client.text == "Hello, old\r\n" && new.text == "Hello, new\r\n" }
                for recorder in [client, new] { recorder.transport?.loseConnection() }
                await port.stop(gracePeriod: .seconds(60))
            })
        }
    }

    @Test func manyConnectionsAtOnceAreAllServed() async throws {
        try await withNetwork { reactor in
            let port = try reactor.listenTCP("127.0.0.1", port: 0) { Greeter() }
            var clients: [Recorder] = []
            for number in 0..<300 {
                let client = try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() }
                client.transport?.write("\(number)\r\n")
                clients.append(client)
            }
            try await eventually {
                clients.enumerated().allSatisfy { $0.element.text == "Hello, \($0.offset)\r\n" }
            }
            for client in clients { client.transport?.loseConnection() }
            #expect(await port.stop(gracePeriod: .seconds(10)) == 0)
            try await eventually { clients.allSatisfy { $0.end != nil } }
        }
    }
}

/// A protocol that does not end when its server asks it to.
@ReactorActor
private final class StubbornProtocol: ConnectionProtocol {
    var transport: (any Transport)? { didSet { recorder.transport = transport } }
    let recorder: Recorder
    init(_ recorder: Recorder) { self.recorder = recorder }
    func dataReceived(_ data: ByteBuffer) {}
    func connectionLost(_ reason: ConnectionEnd) { recorder.connectionLost(reason) }
    func serverWillStop() {}
}
