import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct TransactionAfterwardsTests {
    struct Stop: Error {}

    @Test func actionsOfACommitRunInOrderAfterItWithTheConnectionGivenBack() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            var log: [String] = []
            try await pool.transaction { tx in
                tx.onCommit {
                    // The only connection is free again, and the row is there.
                    let count = try? await pool.one(Int.self, "SELECT count(*) FROM t")
                    log.append("first sees \(count ?? -1)")
                }
                tx.onRollback { log.append("never") }
                try await tx.execute("INSERT INTO t VALUES (1)")
                tx.onCommit { log.append("second") }
            }
            #expect(log == ["first sees 1", "second"])
        }
    }

    @Test func actionsOfARolledBackSavepointAreDroppedAndThoseOfACommittedOneWaitForTheOutermost()
        async throws
    {
        try await Database().withConnection { (connection) async throws in
            var log: [String] = []
            try await connection.transaction { outer in
                try? await outer.transaction { inner in
                    inner.onCommit { log.append("undone") }
                    inner.onRollback { log.append("inner rolled back") }
                    throw Stop()
                }
                #expect(log == ["inner rolled back"])
                try await outer.transaction { inner in inner.onCommit { log.append("kept") } }
                #expect(log == ["inner rolled back"])
            }
            #expect(log == ["inner rolled back", "kept"])
        }
    }

    @Test func aRollbackRunsItsActionsAlsoThoseOfReleasedSavepoints() async throws {
        try await Database().withConnection { (connection) async throws in
            var log: [String] = []
            await #expect(throws: Stop.self) {
                try await connection.transaction { outer in
                    try await outer.transaction { inner in
                        inner.onRollback { log.append("inner") }
                        inner.onCommit { log.append("never") }
                    }
                    outer.onRollback { log.append("outer") }
                    throw Stop()
                }
            }
            #expect(log == ["inner", "outer"])
        }
    }

    /// What it has come to is not known here: it may have been committed.
    @Test func aTransactionThatItsBodyHasEndedRunsNone() async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.execute("CREATE TABLE t (n int)")
            var log: [String] = []
            for isNested in [true, false] {
                let error = try await failure {
                    try await connection.transaction { outer in
                        outer.onRollback { log.append("outer") }
                        outer.onCommit { log.append("committed") }
                        try await outer.execute("INSERT INTO t VALUES (1)")
                        guard isNested else { return _ = try await outer.execute("COMMIT") }
                        try await outer.transaction { inner in
                            inner.onRollback { log.append("inner") }
                            try await inner.execute("COMMIT")
                        }
                    }
                }
                #expect(error.code == .transactionFinished)
            }
            #expect(log.isEmpty)
            #expect(try await connection.one(Int.self, "SELECT count(*) FROM t") == 2)
            // One that has not come to a COMMIT of its own is known to be undone.
            await #expect(throws: Stop.self) {
                try await connection.transaction { tx in
                    tx.onRollback { log.append("rolled back") }
                    throw Stop()
                }
            }
            #expect(log == ["rolled back"])
        }
    }

    @Test func aKilledTransactionsActionsCanStillWait() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, _) async throws in
            var hasWaited = 0
            let asynchronous = Greenlet.spawn { () async throws in
                try await pool.transaction { tx in
                    tx.onRollback { if (try? await pool.one(Int.self, "SELECT 1")) == 1 { hasWaited += 1 } }
                    _ = try await tx.execute("SELECT pg_sleep(60)")
                }
            }
            let synchronous = Greenlet.spawn {
                try pool.transaction { tx in
                    tx.onRollback { if (try? await pool.one(Int.self, "SELECT 1")) == 1 { hasWaited += 1 } }
                    _ = try tx.execute("SELECT pg_sleep(60)")
                }
            }
            #expect(try await eventually { pool.statistics.counts.borrowed == 2 })
            try await asynchronous.kill()
            try await synchronous.kill()
            #expect(try await eventually { hasWaited == 2 })
        }
    }

    @Test func aCommitWhoseFateIsUnknownRunsNothing() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            try await pool.execute(
                """
                CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); RETURN NULL; END $$
                """)
            try await pool.execute(
                "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()"
            )
            var ran = false
            let error = try await failure {
                try await pool.transaction { tx in
                    tx.onCommit { ran = true }
                    tx.onRollback { ran = true }
                    try await tx.execute("INSERT INTO t VALUES (1)")
                }
            }
            #expect(error.code == .connectionLost && !ran)
        }
    }
}
