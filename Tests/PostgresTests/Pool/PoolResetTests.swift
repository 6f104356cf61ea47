import ConnectionPools
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// The next borrower finds nothing of what the last one left.
@Suite struct PoolResetTests {
    @Test(arguments: [
        ("SET application_name = 'dirty'", "SELECT current_setting('application_name') <> 'dirty'"),
        (
            "SELECT set_config('my.x', 'dirty', false)",
            "SELECT current_setting('my.x', true) IS DISTINCT FROM 'dirty'"
        ),
        ("CREATE TEMP TABLE left_over (n int)", "SELECT to_regclass('left_over') IS NULL"),
        (
            "SELECT pg_advisory_lock(77)",
            "SELECT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())"
        ),
        ("LISTEN orders", "SELECT NOT EXISTS (SELECT FROM pg_listening_channels())"),
        ("PREPARE p AS SELECT 1", "SELECT NOT EXISTS (SELECT FROM pg_prepared_statements WHERE name = 'p')"),
    ])
    func isUndone(statement: String, check: String) async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            for round in 1...3 {
                try await pool.withConnection { connection in
                    _ = try await connection.execute(SQL(raw: statement))
                }
                #expect(try await pool.one(Bool.self, SQL(raw: check)))
                #expect(pool.statistics.resets == round && pool.statistics.connectsSucceeded == 1)
            }
        }
    }

    @Test func whatTheQueryOfACopyLeavesIsUndone() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            for try await _ in pool.copyOut(query: "SELECT pg_advisory_lock(77)") {}
            #expect(pool.statistics.statements == 1)
            let locks: Int = try await pool.one(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
            #expect(locks == 0 && pool.statistics.resets == 1)
        }
    }

    @Test func preparedStatementsOfTheCacheAreMadeAnewAfterAReset() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            for _ in 1...3 {
                for number in 0..<4 {
                    #expect(try await pool.one(Int.self, "SELECT \(number)::int") == number)
                }
                _ = try await pool.execute("SET work_mem = '1MB'")
            }
            #expect(try await eventually { pool.statistics.resets == 3 })
        }
    }

    @Test func neverAndAlwaysDoWhatTheySay() async throws {
        var options = PostgresPoolOptions(maximum: 1)
        options.reset = .never
        try await Database().withPool(options) { (pool, _) async throws in
            _ = try await pool.execute("SET application_name = 'kept'")
            #expect(try await pool.one(String.self, "SHOW application_name") == "kept")
        }
        options.reset = .always
        try await Database().withPool(options) { (pool, _) async throws in
            for _ in 0..<3 { _ = try await pool.execute("SELECT 1") }
            #expect(try await eventually { pool.statistics.resets == 3 && pool.statistics.counts.idle == 1 })
        }
    }

    @Test func whatOnConnectSetsOutlivesAReset() async throws {
        var options = PostgresPoolOptions(maximum: 1)
        options.hooks.onConnect = { connection in
            _ = try await connection.execute("SET application_name = 'house'")
        }
        try await Database().withPool(options) { (pool, _) async throws in
            #expect(try await pool.one(String.self, "SHOW application_name") == "house")
            #expect(pool.statistics.resets == 0)
            for statement: SQL in ["SET application_name = 'mine'", "RESET ALL", "DISCARD ALL"] {
                _ = try await pool.execute(statement)
                #expect(try await pool.one(String.self, "SHOW application_name") == "house")
            }
        }
    }

    @Test func aResetThatFailsCostsTheConnectionOnly() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            try await pool.withConnection { (connection) async throws in
                _ = try await connection.execute("SET work_mem = '1MB'")
                // It dies before the pool gets to the reset, and nobody has noticed yet.
                try await watcher.connection.execute(
                    "SELECT pg_terminate_backend(\(connection.processID), 5000)")
            }
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            #expect(pool.statistics.counts.total == 1 && pool.statistics.connectsSucceeded == 2)
        }
    }
}
