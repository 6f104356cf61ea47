import Greenlets
import NIOCore
import ReactorCore
import ReactorTesting
import TestNetworks
import Testing
import Transports

/// Transport and protocol know each other; their end must break the circle, or every connection is memory lost.
@Suite(.timeLimit(.minutes(10))) struct LifetimeTests {
    @ReactorActor
    private final class Weak {
        weak var object: AnyObject?
        init(_ object: AnyObject?) { self.object = object }
    }

    /// Waits until all are gone. False after five seconds.
    @ReactorActor
    private func areFreed(_ objects: [Weak], _ reactor: Reactor) async throws -> Bool {
        let deadline = reactor.now.advanced(by: .seconds(5))
        while objects.contains(where: { $0.object != nil }) {
            if reactor.now > deadline { return false }
            try await reactor.sleep(for: .milliseconds(1))
        }
        return true
    }

    @Test func callbackStyleFreesBothEndsAndThePort() async throws {
        try await withNetwork { reactor in
            @ReactorActor func use() async throws -> [Weak] {
                var served: [Weak] = []
                let port = try reactor.listenTCP("127.0.0.1", port: 0) {
                    let greeter = Greeter()
                    served.append(Weak(greeter))
                    return greeter
                }
                let client = try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() }
                client.transport?.write("x\r\n")
                try await eventually { !client.text.isEmpty }
                // The protocol keeps its transport, as documented; the transport lets go of the protocol.
                let others = [Weak(client), Weak(client.transport), Weak(port), Weak(port.connections)]
                served.append(contentsOf: port.connections.transports.map { Weak($0) })
                client.transport?.loseConnection()
                try await eventually { client.end != nil && port.connections.isEmpty }
                port.stopListening()
                return served + others
            }
            let objects = try await use()
            #expect(objects.count == 6)
            #expect(try await areFreed(objects, reactor))
        }
    }

    @Test(arguments: [true, false]) func streamStyleFreesConnectionsAndTheServer(handlerIsKilled: Bool)
        async throws
    {
        try await withNetwork { reactor in
            @ReactorActor func use() async throws -> [Weak] {
                var objects: [Weak] = []
                let server = try reactor.serveTCP("127.0.0.1", port: 0, limit: 5) { connection in
                    objects.append(Weak(connection))
                    objects.append(Weak(connection.transport))
                    _ = try await connection.readLine()
                    if handlerIsKilled { try await reactor.sleep(for: .seconds(600)) }
                }
                let client = try await reactor.connectTCP("127.0.0.1", port: server.port)
                try await client.write("x\r\n")
                try await eventually { objects.count == 2 }
                objects += [Weak(client), Weak(client.transport), Weak(server), Weak(server.connections)]
                try await reactor.sleep(for: .milliseconds(5))
                await server.stop(gracePeriod: handlerIsKilled ? .zero : .seconds(5))
                client.abort()
                return objects
            }
            let objects = try await use()
            #expect(objects.count == 6)
            #expect(try await areFreed(objects, reactor))
        }
    }

    @Test func failedConnectsLeaveNothing() async throws {
        try await withNetwork { reactor in
            let port = try reactor.listenTCP("127.0.0.78", port: 0) { nil }
            port.stopListening()
            for _ in 0..<20 { _ = try? await reactor.connectTCP("127.0.0.78", port: port.port) }
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }
}
