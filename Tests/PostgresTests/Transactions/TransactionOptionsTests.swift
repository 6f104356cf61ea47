import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct TransactionOptionsTests {
    @Test func beginSaysWhatIsAskedForAndNothingElse() {
        #expect(PostgresTransactionOptions().begin == "BEGIN")
        #expect(
            PostgresTransactionOptions(isolation: .repeatableRead).begin
                == "BEGIN ISOLATION LEVEL REPEATABLE READ")
        #expect(
            PostgresTransactionOptions(isolation: .serializable, readOnly: true, deferrable: true).begin
                == "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE")
        #expect(PostgresTransactionOptions(readOnly: false).begin == "BEGIN READ WRITE")
    }

    @Test func pausesGrowToASecondAndDifferByChance() {
        #expect(PostgresTransactionOptions.pause(before: 2, chance: 0) == .milliseconds(4))
        #expect(PostgresTransactionOptions.pause(before: 2, chance: 1) == .milliseconds(8))
        #expect(PostgresTransactionOptions.pause(before: 5, chance: 1) == .milliseconds(64))
        #expect(PostgresTransactionOptions.pause(before: 1000, chance: 1) == .seconds(1))
    }

    @Test func theServerSeesTheModes() async throws {
        try await Database().withConnection { (connection) async throws in
            let modes = try await connection.transaction(
                isolation: .serializable, readOnly: true, deferrable: true
            ) { tx in
                (
                    try await tx.one(String.self, "SELECT current_setting('transaction_isolation')"),
                    try await tx.one(String.self, "SELECT current_setting('transaction_read_only')"),
                    try await tx.one(String.self, "SELECT current_setting('transaction_deferrable')")
                )
            }
            #expect(modes == ("serializable", "on", "on"))
            let error = try await failure {
                try await connection.transaction(readOnly: true) { tx in
                    _ = try await tx.execute("CREATE TABLE t (n int)")
                }
            }
            #expect(error.sqlState == .readOnlySQLTransaction)
        }
    }

    @Test func aSavepointWithModesOfItsOwnIsRefused() async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.transaction { tx in
                let error = try await failure {
                    try await tx.transaction(isolation: .serializable) { _ in }
                }
                #expect(error.code == .invalidTransaction)
                #expect(try await tx.one(Int.self, "SELECT 1") == 1)
            }
        }
    }
}

@Suite struct TransactionRetryTests {
    struct Stop: Error {}

    /// Two serializable transactions that read both rows and write one each: the server fails one of them.
    @Test func aSerializationFailureRunsTheBodyAgainInANewTransaction() async throws {
        try await Database().withPool(.init(maximum: 4)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t (id int PRIMARY KEY, n int)")
            try await pool.execute("INSERT INTO t VALUES (1, 1), (2, 1)")
            var runs = 0
            let bothHaveRead = Event()
            let greenlets = (1...2).map { own in
                Greenlet.spawn { () async throws in
                    try await pool.transaction(isolation: .serializable, retry: 5) { tx in
                        runs += 1
                        let sum: Int = try await tx.one("SELECT sum(n) FROM t")
                        if runs == 2 { bothHaveRead.set() }
                        if runs <= 2 { try await bothHaveRead.wait() }
                        try await tx.execute("UPDATE t SET n = \(sum) WHERE id = \(own)")
                    }
                }
            }
            for greenlet in greenlets { try await greenlet.get() }
            #expect(runs == 3)
            // One after the other: 1 + 1 = 2, then 2 + 1 = 3.
            let numbers = try await pool.query("SELECT n FROM t ORDER BY n").map {
                try $0.decode(Int.self, at: 0)
            }
            #expect(numbers == [2, 3])
        }
    }

    @Test func aSwallowedSerializationFailureIsRetriedTooAndItsErrorNamedWhenRunsAreUsedUp() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, _) async throws in
            var runs = 0
            let error = try await failure {
                try await pool.transaction(retry: 2) { tx in
                    runs += 1
                    _ = try? await tx.execute("DO $$ BEGIN RAISE 'conflict' USING ERRCODE = '40001'; END $$")
                }
            }
            #expect(runs == 3 && error.code == .transactionRolledBack)
            #expect((error.underlying as? PostgresError)?.sqlState == .serializationFailure)
            #expect(error.description.contains("conflict"))
        }
    }

    @Test func aSerializationFailureSwallowedInASavepointIsRetriedFromTheStart() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, _) async throws in
            var runs = 0
            try await pool.transaction(retry: 1) { outer in
                runs += 1
                try await outer.transaction { inner in
                    guard runs == 1 else { return }
                    _ = try? await inner.execute(
                        "DO $$ BEGIN RAISE 'conflict' USING ERRCODE = '40001'; END $$")
                }
            }
            #expect(runs == 2)
        }
    }

    @Test func deadlocksAreRetriedInSynchronousCodeAsWell() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, _) async throws in
            var runs = 0
            let value = try await Greenlet.spawn {
                try pool.transaction(retry: 1) { tx in
                    runs += 1
                    if runs == 1 {
                        try tx.execute("DO $$ BEGIN RAISE 'stuck' USING ERRCODE = '40P01'; END $$")
                    }
                    return runs
                }
            }.get()
            #expect(value == 2)
        }
    }

    /// The pool closes it when it comes back, and the next run has another.
    @Test func aConnectionThatIsRetiredMeanwhileDoesNotEndTheRetries() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            var runs = 0
            let last = try await pool.transaction(retry: 1) { tx in
                runs += 1
                if runs == 1 {
                    pool.recycle()
                    // By the time that this is done the connection is closed.
                    tx.onRollback { _ = try? await pool.execute("SELECT 1") }
                    try await tx.execute("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$")
                }
                return tx.processID
            }
            #expect(runs == 2 && last != 0)
        }
    }

    @Test func otherErrorsAreNotRetried() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, _) async throws in
            var runs = 0
            _ = try await failure {
                try await pool.transaction(retry: 5) { tx in
                    runs += 1
                    _ = try await tx.execute("SELECT 1/0")
                }
            }
            await #expect(throws: Stop.self) {
                try await pool.transaction(retry: 5) { _ in
                    runs += 1
                    throw Stop()
                }
            }
            #expect(runs == 2)
        }
    }

    @Test func aCancelledPauseEndsTheRetries() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, _) async throws in
            var runs = 0
            let greenlet = Greenlet.spawn { () async throws in
                try await pool.transaction(retry: 1_000_000) { tx in
                    runs += 1
                    _ = try await tx.execute("DO $$ BEGIN RAISE 'again' USING ERRCODE = '40001'; END $$")
                }
            }
            #expect(try await eventually { runs >= 3 })
            try await greenlet.kill()
            #expect(pool.statistics.counts.borrowed == 0)
        }
    }
}
