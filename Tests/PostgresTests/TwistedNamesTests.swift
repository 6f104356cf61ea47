import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct TwistedNamesTests {
    struct Stop: Error {}

    @Test func runQueryFiresWithRowsAndRunOperationWithTheirNumber() async throws {
        try await Database().withPool { (pool, _) async throws in
            _ = try await pool.runOperation("CREATE TABLE t (n int)").value
            #expect(try await pool.runOperation("INSERT INTO t VALUES (1), (2)").value == 2)
            let sum = pool.runQuery("SELECT sum(n) FROM t").addCallback { try $0[0].decode(Int.self, at: 0) }
            #expect(try await sum.value == 3)
        }
    }

    @Test func anErrorReachesTheErrback() async throws {
        try await Database().withPool { (pool, _) async throws in
            let text = pool.runQuery("SELECT nonsense").addCallback { _ in "fine" }
                .addErrback { "\(($0 as? PostgresError)?.sqlState == .undefinedColumn)" }
            #expect(try await text.value == "true")
        }
    }

    @Test func runInteractionCommitsAndRollsBackInBothKindsOfBody() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            let looksBlocking = pool.runInteraction { tx in
                try tx.execute("INSERT INTO t VALUES (1)")
                return try tx.one(Int.self, "SELECT count(*) FROM t")
            }
            #expect(try await looksBlocking.value == 1)
            let asynchronous = pool.runInteraction { (tx) async throws -> Int in
                try await tx.execute("INSERT INTO t VALUES (2)")
                throw Stop()
            }
            await #expect(throws: Stop.self) { try await asynchronous.value }
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 1)
        }
    }

    @Test func runWithConnectionLendsOne() async throws {
        try await Database().withPool { (pool, _) async throws in
            let pids = pool.runWithConnection { connection in
                (connection.processID, try connection.one(Int.self, "SELECT pg_backend_pid()"))
            }
            let (known, seen) = try await pids.value
            #expect(Int(known) == seen)
        }
    }

    @Test func cancellingTheDeferredEndsTheStatementAndKeepsTheConnection() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            let query = pool.runQuery("SELECT pg_sleep(60)")
            #expect(try await eventually { try await watcher.active() == 1 })
            query.cancel()
            await #expect(throws: CancellationError.self) { try await query.value }
            let interaction = pool.runInteraction { tx in try tx.execute("SELECT pg_sleep(60)") }
            #expect(try await eventually { try await watcher.active() == 1 })
            interaction.cancel()
            await #expect(throws: (any Error).self) { try await interaction.value }
            #expect(try await watcher.seesAtRest(pool))
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            #expect(pool.statistics.connectsSucceeded == 1)
        }
    }
}
