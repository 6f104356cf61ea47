import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Cursors WITH HOLD outlive their transaction, and must not outlive the loan of their connection.
@Suite struct HeldCursorTests {
    private static let numbers: SQL = "SELECT n FROM generate_series(1, 1000) n"
    private static let open: SQL = "SELECT count(*) FROM pg_cursors WHERE name LIKE 'cursor_%'"

    @Test func oneThatIsLeftAsTheLastThingOfALoanIsClosed() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            for _ in 0..<5 {
                try await pool.withConnection { (connection) async throws in
                    for try await _ in connection.cursor(Self.numbers, fetch: 10, withHold: true) { break }
                }
                #expect(try await pool.one(Int.self, Self.open) == 0)
                try await pool.withConnection { (connection) async throws in
                    var rows = connection.cursor(Self.numbers, fetch: 10, withHold: true).makeAsyncIterator()
                    #expect(try await rows.next() != nil)
                }
                #expect(try await pool.one(Int.self, Self.open) == 0)
            }
            // It was closed, not reset: the connection keeps its prepared statements.
            #expect(pool.statistics.connectsSucceeded == 1 && pool.statistics.resets == 0)
            #expect(pool.statistics.rolledBackOnReturn == 0)
        }
    }

    @Test(arguments: [PostgresResetPolicy.never, .dirty])
    func oneWhoseIteratorOutlivesTheLoanIsClosed(_ reset: PostgresResetPolicy) async throws {
        var options = PostgresPoolOptions(maximum: 1)
        options.reset = reset
        try await Database().withPool(options) { (pool, _) async throws in
            var escaped: PostgresRowStream.Iterator?
            try await pool.withConnection { (connection) async throws in
                escaped = connection.cursor(Self.numbers, fetch: 10, withHold: true).makeAsyncIterator()
                _ = try await escaped?.next()
            }
            #expect(try await pool.one(Int.self, Self.open) == 0)
            #expect(pool.statistics.resets == 0)
            for _ in 0..<9 { _ = try await escaped?.next() }
            let error = try await failure { while try await escaped?.next() != nil {} }
            #expect(error.code == .connectionClosed)
            escaped = nil
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            #expect(pool.statistics.connectsSucceeded == 1)
        }
    }

    @Test func oneThatTheBorrowerHasClosedWithAllOthersCostsNothing() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            var escaped: PostgresRowStream.Iterator?
            try await pool.withConnection { (connection) async throws in
                escaped = connection.cursor(Self.numbers, fetch: 10, withHold: true).makeAsyncIterator()
                _ = try await escaped?.next()
                try await connection.execute("CLOSE ALL")
            }
            #expect(try await pool.one(Int.self, Self.open) == 0)
            #expect(pool.statistics.connectsSucceeded == 1 && pool.statistics.connectionsLost == 0)
            _ = escaped
        }
    }

    @Test func oneOfAnotherGreenletIsClosedBehindTheStatementThatRuns() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.withConnection { (connection) async throws in
                var rows: PostgresRowStream.Iterator? =
                    connection.cursor(Self.numbers, fetch: 10, withHold: true).makeAsyncIterator()
                _ = try await rows?.next()
                let slow = Greenlet.spawn {
                    try await connection.one(Int.self, "SELECT 1 FROM pg_sleep(0.1)")
                }
                #expect(try await eventually { connection.transactionStatus == .active })
                rows = nil
                #expect(try await slow.get() == 1)
            }
            #expect(try await pool.one(Int.self, Self.open) == 0)
        }
    }

    @Test func oneThatIsReadToItsEndCostsNoReset() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.withConnection { (connection) async throws in
                var seen = 0
                for try await _ in connection.cursor(Self.numbers, fetch: 400, withHold: true) { seen += 1 }
                #expect(seen == 1000)
            }
            #expect(try await pool.one(Int.self, Self.open) == 0)
            #expect(pool.statistics.resets == 0)
        }
    }

    @Test func whatItsQueryLeavesInTheSessionIsNoticed() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.withConnection { (connection) async throws in
                for try await _ in connection.cursor("SELECT pg_advisory_lock(7)", withHold: true) {}
            }
            let locks: Int = try await pool.one(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
            #expect(locks == 0 && pool.statistics.resets == 1)
        }
    }

    @Test func behindAPoolerInTransactionModeItIsRefusedWithAReason() async throws {
        var configuration = try Database().configuration
        configuration.pooling = .transactionPooled
        try await withReactor { [configuration] (_) async throws in
            let connection = try await PostgresConnection.connect(configuration)
            let error = try await failure {
                for try await _ in connection.cursor(Self.numbers, withHold: true) {}
            }
            #expect(error.code == .needsSession && error.description.contains("WITH HOLD"))
            try await connection.transaction { (tx) async throws in
                var seen = 0
                for try await _ in tx.cursor("SELECT n AS hold FROM generate_series(1, 30) n", fetch: 7) {
                    seen += 1
                }
                #expect(seen == 30)
                let lock = try await failure {
                    for try await _ in tx.cursor("SELECT pg_advisory_lock(7)") {}
                }
                #expect(lock.code == .needsSession)
            }
            await connection.close()
        }
    }

    @Test func aCursorRightBehindOneThatWasLeftFindsTheTransaction() async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.transaction { (tx) async throws in
                for _ in 0..<10 {
                    for try await _ in tx.cursor(Self.numbers, fetch: 10) { break }
                }
            }
            try await connection.script("BEGIN")
            for try await _ in connection.cursor(Self.numbers, fetch: 10) { break }
            let error = try await failure { try await connection.transaction { _ in } }
            #expect(error.code == .connectionBusy)
            try await connection.script("ROLLBACK")
        }
    }
}
