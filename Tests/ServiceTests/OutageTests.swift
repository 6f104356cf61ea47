import Greenlets
import LocalPostgres
import Postgres
import ReactorCore
import ReactorTesting
import Testing
import Transports

/// The server goes away and comes back; the service stays.
@Suite(.serialized) struct OutageTests {
    private static let answer = "dummypacketmaker012345678Dummy_12345"

    @Test func terminatedConnectionsAreReplacedBeforeTheNextLookup() async throws {
        try await TestService.run(poolSize: 4) { service in
            let clients = try await Self.warmUp(service, 4)
            let admin = try await PostgresConnection.connect(PostgresConfiguration(service.url))
            // With a time limit it waits until they have ended: a lookup that meets one still ending fails, rightly.
            let count = try await admin.one(
                Int.self,
                """
                SELECT count(pg_terminate_backend(pid, 30000)) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
                """)
            #expect(count >= 1)
            await admin.close()
            for client in clients {
                let answer = try await client.ask("12345678901234567890")
                #expect(answer == Self.answer)
                client.loseConnection()
            }
        }
    }

    @Test(arguments: [LocalCluster.StopMode.fast, .immediate])
    func lookupsGoOnAfterAServerRestart(_ mode: LocalCluster.StopMode) async throws {
        // Throw-away clusters answer COMMIT before the log is written, which an immediate stop would show.
        let cluster = try LocalCluster.temporary(settings: ["synchronous_commit": "on"])
        defer { cluster.stop() }
        try await TestService.run(poolSize: 4, cluster: cluster) { service in
            let clients = try await Self.warmUp(service, 4)
            try await reactor.threadPool.run { try cluster.restart(mode: mode) }
            for client in clients {
                let answer = try await client.ask("12345678901234567890")
                #expect(answer == Self.answer)
                client.loseConnection()
            }
        }
    }

    @Test func whileTheServerIsDownEachLineGetsAnErrorWithinTheCheckoutTimeout() async throws {
        let cluster = try LocalCluster.temporary()
        defer { cluster.stop() }
        try await TestService.run(poolSize: 2, checkoutTimeout: .seconds(2), cluster: cluster) {
            service in
            let clients = try await Self.warmUp(service, 6)
            try await reactor.threadPool.run { cluster.stop(mode: .immediate) }
            let start = reactor.now
            for client in clients { client.send("12345678901234567890") }
            for client in clients {
                let answer = try await client.nextLine()
                #expect(answer?.hasPrefix("error: ") == true, "\(answer ?? "closed")")
            }
            let elapsed = start.duration(to: reactor.now)
            #expect(elapsed < .seconds(10), "six lines over two slots took \(elapsed)")
            for client in clients { client.loseConnection() }
        }
    }

    @Test func killedLookupIsCancelledOnTheServerAndThePoolKeepsItsMaximum() async throws {
        try await TestService.run(poolSize: 3) { service in
            let greenlets = (0..<3).map { _ in
                Greenlet.spawn { try service.pool.execute("SELECT pg_sleep(60)") }
            }
            let admin = try await PostgresConnection.connect(PostgresConfiguration(service.url))
            try await Self.waitForSleepers(3, admin)
            let before = try await Self.pids(service, admin)
            for greenlet in greenlets { greenlet.cancel() }
            let start = reactor.now
            try await Self.waitForSleepers(0, admin)
            #expect(start.duration(to: reactor.now) < .seconds(30), "they would have slept for 60 s")
            for greenlet in greenlets { try await greenlet.join() }
            // All three connections are in use at once again, and they are the same ones.
            let again = (0..<3).map { _ in
                Greenlet.spawn { try service.pool.one(Int.self, "SELECT 1 FROM pg_sleep(0.2)") }
            }
            for greenlet in again {
                let one = try await greenlet.get()
                #expect(one == 1)
            }
            let after = try await Self.pids(service, admin)
            #expect(after == before)
            await admin.close()
        }
    }

    // MARK: Support

    /// Clients whose first line has been answered, so that the pool has its connections.
    @ReactorActor private static func warmUp(_ service: TestService, _ count: Int) async throws
        -> [LineClient]
    {
        var clients: [LineClient] = []
        for _ in 0..<count { clients.append(try await service.connect()) }
        for client in clients { client.send("12345678901234567890") }
        for client in clients {
            let answer = try await client.nextLine()
            #expect(answer == Self.answer)
        }
        return clients
    }

    @ReactorActor private static func waitForSleepers(_ count: Int, _ admin: PostgresConnection) async throws
    {
        while try await admin.one(
            Int.self,
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT pg_sleep%'
            """) != count
        {
            try await reactor.sleep(for: .milliseconds(10))
        }
    }

    @ReactorActor private static func pids(
        _ service: TestService, _ admin: PostgresConnection
    ) async throws -> Set<Int32> {
        let rows = try await admin.query(
            """
            SELECT pid FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
            """)
        return Set(try rows.map { try $0.decode(Int32.self, at: 0) })
    }
}
