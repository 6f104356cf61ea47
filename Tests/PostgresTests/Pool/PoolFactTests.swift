import ConnectionPools
import Greenlets
import LocalPostgres
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// What other pools got wrong, measured: facts 1 to 4 of the reference.
@Suite struct PoolFactTests {
    /// Fact 1: no query says whether a connection lives; the socket does, in two reads.
    @Test func noCheckQueryIsSentAndNoDeadConnectionIsLent() async throws {
        try await Database().withPool(.init(maximum: 3)) { (pool, watcher) async throws in
            try await fill(pool)
            let before = pool.statistics.statements
            for number in 0..<100 { #expect(try await pool.one(Int.self, "SELECT \(number)::int") == number) }
            #expect(pool.statistics.statements - before == 100)
            let sessions = pool.machine.connections
            try await watcher.terminateAll()
            // Without a turn in which the reactor could see it, each is found dead by the look at its socket.
            for _ in 0..<3 { #expect(pool.tryAcquire() == nil) }
            #expect(sessions.allSatisfy { !$0.isUsable })
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
        }
    }

    /// Fact 2: what was not dirtied is not reset.
    @Test func aReturnCostsNoRoundTripUnlessSomethingWasLeft() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            for _ in 0..<100 { try await pool.withConnection { c in _ = try await c.execute("SELECT 1") } }
            #expect(pool.statistics.statements == 100 && pool.statistics.resets == 0)
            try await pool.withConnection { c in _ = try await c.execute("SET work_mem = '1MB'") }
            #expect(try await pool.one(String.self, "SHOW work_mem") != "1MB")
            #expect(pool.statistics.resets == 1 && pool.statistics.connectsSucceeded == 1)
        }
    }

    /// Fact 3: after a restart the stale ones are swept, not probed one by one.
    @Test(arguments: [LocalCluster.StopMode.fast, .immediate])
    func tenIdleConnectionsAndARestartCostTheFirstBorrowerLessThanASecond(mode: LocalCluster.StopMode)
        async throws
    {
        let cluster = try LocalCluster.temporary()
        defer { cluster.stop() }
        let configuration = try PostgresConfiguration(cluster.url)
        try await withReactor { (reactor) async throws in
            var options = PostgresPoolOptions(maximum: 10, minimum: 2)
            options.checkAfterIdle = .zero  // as after a long night
            let pool = PostgresPool(configuration, options)
            try await fill(pool)
            #expect(pool.statistics.counts.idle == 10)
            let waiting = Greenlet.spawn { () async throws -> ReactorInstant in
                // One that comes while the server is away; before, its statement could go down with it.
                while pool.statistics.connectionsLost == 0 { try await reactor.sleep(for: .milliseconds(1)) }
                _ = try await pool.withConnection(timeout: .seconds(30)) {
                    try await $0.one(Int.self, "SELECT 1")
                }
                return reactor.now
            }
            try await reactor.threadPool.run { try cluster.restart(mode: mode) }
            let accepted = reactor.now
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            // Generous for a loaded machine; a pool that probes takes the back-off or time-out for each.
            #expect(accepted.duration(to: reactor.now) < .seconds(10))
            let served = try await waiting.get()
            // A pause between two attempts may have begun before.
            #expect(accepted.duration(to: served) < .seconds(15))
            #expect(pool.statistics.acquireTimeouts == 0)
            await pool.close()
        }
    }

    /// Fact 4: the place is taken before the connect parks.
    @Test func fiftyGreenletsAtOnceOpenNoMoreThanTheMaximum() async throws {
        try await Database().withPool(.init(maximum: 4)) { (pool, watcher) async throws in
            let greenlets = (0..<50).map { _ in
                Greenlet.spawn { try await pool.execute("SELECT pg_sleep(0.01)") }
            }
            var most = 0
            while greenlets.contains(where: { !$0.isReady }) {
                most = max(most, try await watcher.sessions())
            }
            for greenlet in greenlets { _ = try await greenlet.get() }
            #expect(most <= 4 && pool.statistics.connectsSucceeded == 4)
        }
    }

    /// Fact 4, the other half: whoever waits for a connection that dies in use gets another.
    @Test func aWaiterIsServedWhenTheOnlyConnectionDiesInUse() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            let waiter = try await pool.withConnection { (connection) async throws in
                let waiter = Greenlet.spawn { try await pool.one(Int.self, "SELECT 1") }
                while pool.statistics.counts.waiting < 1 { await Greenlet.yield() }
                try await watcher.terminateAll()
                _ = try? await connection.execute("SELECT 1")
                return waiter
            }
            #expect(try await waiter.get() == 1)
        }
    }
}
