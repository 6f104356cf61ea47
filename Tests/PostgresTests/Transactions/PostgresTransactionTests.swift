import ConnectionPools
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct PostgresTransactionTests {
    struct Stop: Error {}

    /// A table with one column and a way to see it.
    func withTable(
        _ body:
            @escaping @Sendable @ReactorActor (
                PostgresConnection, @escaping @ReactorActor () async throws -> [Int]
            ) async throws -> Void
    ) async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.script("CREATE TABLE t (n int UNIQUE)")
            try await body(connection) {
                try await connection.query("SELECT n FROM t ORDER BY n").map {
                    try $0.decode(Int.self, at: 0)
                }
            }
        }
    }

    @Test func commitsWhenTheBodyReturnsAndRollsBackWhenItThrows() async throws {
        try await withTable { (connection, rows) async throws in
            let value = try await connection.transaction { tx in
                try await tx.execute("INSERT INTO t VALUES (1)")
                return 5
            }
            #expect(value == 5)
            await #expect(throws: Stop.self) {
                try await connection.transaction { tx in
                    try await tx.execute("INSERT INTO t VALUES (2)")
                    throw Stop()
                }
            }
            #expect(try await rows() == [1])
            #expect(connection.transactionStatus == .idle)
        }
    }

    @Test func theCommitOfAFailedTransactionThrows() async throws {
        try await withTable { (connection, rows) async throws in
            let error = try await failure {
                try await connection.transaction { tx in
                    try await tx.execute("INSERT INTO t VALUES (1)")
                    _ = try? await tx.execute("SELECT 1/0")
                }
            }
            #expect(error.code == .transactionRolledBack)
            #expect(try await rows() == [])
        }
    }

    @Test func nestedTransactionsAreSavepoints() async throws {
        try await withTable { (connection, rows) async throws in
            try await connection.transaction { outer in
                try await outer.execute("INSERT INTO t VALUES (1)")
                try? await outer.transaction { inner in
                    try await inner.execute("INSERT INTO t VALUES (2)")
                    throw Stop()
                }
                try await outer.transaction { inner in
                    try await inner.execute("INSERT INTO t VALUES (3)")
                    try? await inner.transaction { innermost in
                        _ = try await innermost.execute("INSERT INTO t VALUES (3)")
                    }
                    try await inner.execute("INSERT INTO t VALUES (4)")
                }
            }
            #expect(try await rows() == [1, 3, 4])
        }
    }

    @Test func aSwallowedErrorInASavepointUndoesTheSavepointAndThrows() async throws {
        try await withTable { (connection, rows) async throws in
            try await connection.transaction { outer in
                try await outer.execute("INSERT INTO t VALUES (1)")
                let error = try await failure {
                    try await outer.transaction { inner in
                        try await inner.execute("INSERT INTO t VALUES (2)")
                        _ = try? await inner.execute("INSERT INTO t VALUES (2)")
                    }
                }
                #expect(error.code == .transactionRolledBack)
            }
            #expect(try await rows() == [1])
        }
    }

    @Test func aDeferredConstraintFailsTheCommit() async throws {
        try await withTable { (connection, rows) async throws in
            try await connection.script("CREATE TABLE d (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            let error = try await failure {
                try await connection.transaction { tx in
                    _ = try await tx.execute("INSERT INTO d VALUES (1), (1)")
                }
            }
            #expect(error.sqlState == .uniqueViolation && connection.transactionStatus == .idle)
        }
    }

    @Test func aCancelledBodyRollsBackAndTheConnectionStaysGood() async throws {
        try await withTable { (connection, rows) async throws in
            let greenlet = Greenlet.spawn {
                try await connection.transaction { tx in
                    try await tx.execute("INSERT INTO t VALUES (1)")
                    try await tx.execute("SELECT pg_sleep(60)")
                }
            }
            #expect(try await eventually { connection.transactionStatus == .active })
            try await reactor.sleep(for: .milliseconds(20))
            try await greenlet.kill()
            #expect(try await rows() == [])
            #expect(connection.transactionStatus == .idle)
        }
    }

    @Test func aBodyThatReturnsThoughCancelledIsNotCommitted() async throws {
        try await withTable { (connection, rows) async throws in
            let greenlet = Greenlet.spawn {
                try await connection.transaction { tx in
                    try await tx.execute("INSERT INTO t VALUES (1)")
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            await #expect(throws: CancellationError.self) { try await greenlet.get() }
            #expect(try await rows() == [])
        }
    }

    @Test func aKilledSynchronousBodyRollsBack() async throws {
        let database = try Database()
        try await database.withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            let greenlet = Greenlet.spawn {
                try pool.transaction { outer in
                    try outer.execute("INSERT INTO t VALUES (1)")
                    try outer.transaction { inner in
                        try inner.execute("INSERT INTO t VALUES (2)")
                        _ = try inner.execute("SELECT pg_sleep(60)")
                    }
                }
            }
            #expect(try await eventually { try await watcher.active() == 1 })
            try await greenlet.kill()
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 0)
            #expect(pool.statistics.connectsSucceeded == 1 && pool.statistics.counts.borrowed == 0)
        }
    }

    @Test func aConnectionThatBreaksInsideIsReportedWithItsOwnError() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, _) async throws in
            let error = try await failure {
                try await pool.transaction { tx in
                    _ = try await tx.execute("SELECT pg_terminate_backend(pg_backend_pid())")
                }
            }
            #expect(error.code == .connectionLost && error.sqlState == .adminShutdown)
            let swallowed = try await failure {
                try await pool.transaction { tx in
                    _ = try? await tx.execute("SELECT pg_terminate_backend(pg_backend_pid())")
                }
            }
            #expect(swallowed.code == .connectionLost && swallowed.sqlState == .adminShutdown)
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
        }
    }

    @Test func aTransactionUsedAfterItsEndSaysSo() async throws {
        try await withTable { (connection, _) async throws in
            let escaped = try await connection.transaction { tx in tx }
            let error = try await failure { try await escaped.execute("SELECT 1") }
            #expect(error.code == .transactionFinished)
        }
    }

    @Test func aCommitWrittenAsAStatementIsNoticed() async throws {
        try await withTable { (connection, _) async throws in
            let error = try await failure {
                try await connection.transaction { tx in _ = try await tx.execute("ROLLBACK") }
            }
            #expect(error.code == .transactionFinished)
        }
    }

    @Test func aSecondTransactionOnTheSameConnectionIsRefusedNotNestedSilently() async throws {
        try await withTable { (connection, _) async throws in
            let error = try await failure {
                try await connection.transaction { _ in try await connection.transaction { _ in } }
            }
            #expect(error.code == .connectionBusy)
        }
    }
}
