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
            await #expect(throws: CancellationError.self) { try await interaction.value }
            #expect(try await watcher.seesAtRest(pool))
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            #expect(pool.statistics.connectsSucceeded == 1)
        }
    }

    /// What a Deferred runs.
    enum Kind: CaseIterable {
        case query, operation, interaction, blockingInteraction, connection, blockingConnection
    }

    @ReactorActor
    func start(_ kind: Kind, _ sql: SQL, on pool: PostgresPool) -> Deferred<Void> {
        switch kind {
        case .query: pool.runQuery(sql).addCallback { _ in }
        case .operation: pool.runOperation(sql).addCallback { _ in }
        case .interaction:
            pool.runInteraction { (tx) async throws in _ = try await tx.query(sql, timeout: nil) }
        case .blockingInteraction: pool.runInteraction { (tx) throws in _ = try tx.query(sql) }
        case .connection:
            pool.runWithConnection { (connection) async throws in
                _ = try await connection.query(sql, timeout: nil)
            }
        case .blockingConnection:
            pool.runWithConnection { (connection) throws in _ = try connection.query(sql) }
        }
    }

    @Test(arguments: Kind.allCases)
    func eachCanBeCancelledAtEachMoment(_ kind: Kind) async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            let insert: SQL = "INSERT INTO t VALUES (1)"
            // Before it has begun.
            let early = start(kind, insert, on: pool)
            early.cancel()
            await #expect(throws: CancellationError.self) { try await early.value }
            // While it waits for a connection.
            try await pool.withConnection { (_) async throws in
                let waiting = start(kind, insert, on: pool)
                #expect(try await eventually { pool.statistics.counts.waiting == 1 })
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
                #expect(pool.statistics.counts.waiting == 0)
            }
            // While its statement runs.
            let running = start(kind, "INSERT INTO t SELECT 1 FROM pg_sleep(60)", on: pool)
            #expect(try await eventually { try await watcher.active() == 1 })
            running.cancel()
            await #expect(throws: CancellationError.self) { try await running.value }
            #expect(try await watcher.seesAtRest(pool))
            // After its end.
            let over = start(kind, insert, on: pool)
            #expect(try await eventually { over.isCalled })
            over.cancel()
            try await over.value
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 1)
            #expect(pool.statistics.connectsSucceeded == 1)
        }
    }
}
