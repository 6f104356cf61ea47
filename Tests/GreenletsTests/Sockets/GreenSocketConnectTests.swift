import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite(.everyBackend) struct GreenSocketConnectTests {
    /// A port of this machine that nobody listens on: bound, so that nobody else gets it.
    @ReactorActor private func deafPort() throws -> (GreenSocket, Int) {
        let socket = try GreenSocket(.ipv4)
        try socket.bind(to: try .init("127.0.0.1", port: 0))
        return (socket, try #require(try socket.localAddress.port))
    }

    @Test func addressesAreTriedInOrder() async throws {
        try await withReactor { reactor in
            let listener = try GreenSocket.listen(on: "127.0.0.3", port: 0)
            let port = try #require(try listener.localAddress.port)
            reactor.installResolver(MemoryResolver(["db.example": ["127.0.0.2", "127.0.0.3"]]))
            let socket = try await GreenSocket.connect(to: "db.example", port: port, timeout: .seconds(30))
            #expect(try socket.remoteAddress.host == "127.0.0.3")
            let client = try await listener.accept()
            #expect(try client.remoteAddress == socket.localAddress)
        }
    }

    @Test func errorNamesHostPortAndEveryAttempt() async throws {
        try await withReactor { reactor in
            let (holder, port) = try deafPort()
            reactor.installResolver(MemoryResolver(["db.example": ["127.0.0.1", "127.0.0.2"]]))
            let error = await #expect(throws: GreenletError.self) {
                try await GreenSocket.connect(to: "db.example", port: port, timeout: .seconds(30))
            }
            #expect(error?.code == .connectFailed)
            #expect(error?.errno == ECONNREFUSED)
            #expect(error?.causes.count == 2)
            let refused = "Connection refused (errno 111)"
            #expect(
                error?.message
                    == "cannot connect to db.example:\(port): 127.0.0.1:\(port): \(refused); 127.0.0.2:\(port): \(refused)"
            )
            holder.close()
        }
    }

    @Test func silentServerTimesOut() async throws {
        try await withReactor { reactor in
            // A full queue of connections drops what comes: as a host that does not answer.
            let listener = try GreenSocket.listen(port: 0, backlog: 0)
            let address = try listener.localAddress
            var connected: [GreenSocket] = []
            var last: GreenletError?
            for _ in 0..<10 where last == nil {
                do {
                    connected.append(
                        try await GreenSocket.connect(
                            to: "127.0.0.1", port: address.port!, timeout: .milliseconds(50)))
                } catch { last = error as? GreenletError }
            }
            #expect(last?.isTimeout == true)
            #expect(last?.message.hasPrefix("timed out: connecting to 127.0.0.1:\(address.port!)") == true)
            #expect(reactor.watchedDescriptors.isEmpty)
            let resolving = await #expect(throws: GreenletError.self) {
                reactor.installResolver(SilentResolver())
                return try await GreenSocket.connect(to: "db.example", port: 1, timeout: .milliseconds(5))
            }
            #expect(resolving?.isTimeout == true)
        }
    }

    @Test func cancelledConnectLeavesNothing() async throws {
        try await withReactor { reactor in
            let listener = try GreenSocket.listen(port: 0, backlog: 0)
            let address = try listener.localAddress
            var connected: [GreenSocket] = []
            while true {
                guard
                    let socket = try? await GreenSocket.connect(to: address, timeout: .milliseconds(20))
                else { break }
                connected.append(socket)
            }
            let greenlet = Greenlet.spawn { try GreenSocket.connect(to: address) }
            while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
            try await greenlet.kill()
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }

    @Test func sourceAddressIsUsed() async throws {
        try await withReactor { _ in
            let listener = try GreenSocket.listen(port: 0)
            let port = try #require(try listener.localAddress.port)
            let source = try GreenSocket.Address("127.0.0.9", port: 0)
            let socket = try await GreenSocket.connect(to: "127.0.0.1", port: port, from: source)
            #expect(try socket.localAddress.host == "127.0.0.9")
            let client = try await listener.accept()
            #expect(try client.remoteAddress.host == "127.0.0.9")
            let error = await #expect(throws: GreenletError.self) {
                try await GreenSocket.connect(to: "127.0.0.1", port: port, from: .unix("/x"))
            }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func unixSocketsOfPathsAndAbstractNames() async throws {
        try await withReactor { _ in
            let directory = "/tmp/green-socket-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            #expect(mkdir(directory, 0o700) == 0)
            defer { rmdir(directory) }
            let path = "\(directory)/s"
            defer { unlink(path) }
            for name in [path, "\0\(path)"] {
                let address = GreenSocket.Address.unix(name)
                let listener = try GreenSocket(.unix)
                try listener.bind(to: address)
                try listener.listen(backlog: 1)
                #expect(try listener.localAddress == address)
                let socket = try await GreenSocket.connect(to: address)
                #expect(try socket.remoteAddress == address)
                #expect(try socket.localAddress == .unix(""))
                let client = try await listener.accept()
                try await client.sendAll("hello")
                client.close()
                #expect(try await socket.receiveToEnd() == Array("hello".utf8))
            }
            #expect(GreenSocket.Address.unix("\0a").description == "unix:@a")
        }
    }

    @Test func fullUnixQueueIsWaitedFor() async throws {
        try await withReactor { reactor in
            let address = GreenSocket.Address.unix("\0green-\(getpid())-\(UInt32.random(in: 0 ... .max))")
            let listener = try GreenSocket(.unix)
            try listener.bind(to: address)
            try listener.listen(backlog: 0)
            var connected = [try await GreenSocket.connect(to: address)]
            let error = await #expect(throws: GreenletError.self) {
                connected.append(try await GreenSocket.connect(to: address, timeout: .milliseconds(5)))
            }
            #expect(error?.isTimeout == true)
            let late = Greenlet.spawn { () async throws in try await GreenSocket.connect(to: address) }
            await reactor.yield()
            _ = try await listener.accept()
            _ = try await late.get()
        }
    }

    @Test func wildAddressesAreRefused() async throws {
        try await withReactor { _ in
            for (host, port) in [("example.org", 80), ("127.0.0.1", 70_000), ("", 1), ("1.2.3.4\0", 1)] {
                let error = #expect(throws: GreenletError.self) {
                    try GreenSocket.Address(host, port: port)
                }
                #expect(error?.code == .invalidArgument)
            }
            let long = String(repeating: "x", count: 200)
            let error = #expect(throws: GreenletError.self) {
                try GreenSocket(.unix).bind(to: .unix(long))
            }
            #expect(error?.code == .invalidArgument)
            let inUse = try GreenSocket.listen(port: 0)
            let address = try inUse.localAddress
            let taken = #expect(throws: GreenletError.self) { try GreenSocket.listen(port: address.port!) }
            #expect(taken?.errno == EADDRINUSE)
            #expect(taken?.message.contains("\(address)") == true)
        }
    }

    @Test func datagramsGoToAndFro() async throws {
        try await withReactor { _ in
            let server = try GreenSocket(.ipv4, .datagram)
            try server.bind(to: try .init("127.0.0.1", port: 0))
            let address = try server.localAddress
            let echo = Greenlet.spawn { () throws in
                for _ in 0..<2 {
                    let question = try server.receiveFrom(atMost: 4)
                    try server.send(question.bytes + [question.isTruncated ? 1 : 0], to: question.sender)
                }
            }
            let client = try GreenSocket(.ipv4, .datagram)
            try await client.send([1, 2, 3], to: address)
            let answer = try await client.receiveFrom()
            #expect(answer.bytes == [1, 2, 3, 0])
            #expect(answer.sender == address)
            #expect(!answer.isTruncated)
            try await client.connect(to: address)
            #expect(try await client.send([1, 2, 3, 4, 5]) == 5)
            #expect(try await client.receive() == [1, 2, 3, 4, 1])
            try await echo.get()
            let (one, other) = try GreenSocket.pair(.datagram)
            try await one.sendAll([9])
            let unnamed = try await other.receiveFrom()
            #expect(unnamed.bytes == [9])
            #expect(unnamed.sender == .unix(""))
        }
    }
}

/// Knows nothing and does not say so.
private struct SilentResolver: Resolver {
    func resolve(
        host: String, port: Int, family: AddressFamily, timeout: Duration?
    ) async throws -> [ResolvedAddress] {
        try await Reactor.current.sleep(for: .seconds(3600))
        return []
    }
}
