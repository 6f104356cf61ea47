import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Cursors on the server: other statements interleave, and nothing of them is left.
@Suite struct CursorTests {
    private static let open: SQL = "SELECT count(*) FROM pg_cursors WHERE name LIKE 'cursor_%'"

    @Test func otherStatementsRunBetweenTheRows() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t AS SELECT n, 0 AS seen FROM generate_series(1, 1050) n")
            try await pool.transaction { tx in
                var next = 0
                for try await row in tx.cursor("SELECT n FROM t WHERE n > \(50) ORDER BY n", fetch: 100) {
                    #expect(row.index == next && row.columns[0].format == .binary)
                    next += 1
                    #expect(try row.decode(Int.self, at: 0) == 50 + next)
                    if next % 50 == 0 {
                        try await tx.execute(
                            "UPDATE t SET seen = 1 WHERE n = \(try row.decode(Int.self, at: 0))")
                    }
                }
                #expect(next == 1000)
                #expect(try await tx.one(Int.self, Self.open) == 0)
            }
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t WHERE seen = 1") == 20)
        }
    }

    @Test func synchronousCodeReadsACursorToo() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            let greenlet = Greenlet.spawn { () throws in
                try pool.transaction { tx in
                    var sum = 0
                    try tx.cursor("SELECT n FROM generate_series(1, 10) n", fetch: 3).forEachRow { row in
                        sum += try row.decode(Int.self, at: 0)
                        sum += try tx.one(Int.self, "SELECT 100")
                    }
                    try tx.cursor("SELECT n FROM generate_series(1, 10) n", fetch: 4).withRows { rows in
                        for row in rows { sum += try row.decode(Int.self, at: 0) }
                    }
                    #expect(throws: NoFailure.self) {
                        try tx.cursor("SELECT 1 FROM generate_series(1, 10)", fetch: 3).forEachRow { _ in
                            throw NoFailure()
                        }
                    }
                    #expect(try tx.one(Int.self, Self.open) == 0)
                    return sum
                }
            }
            #expect(try await greenlet.get() == 55 + 1000 + 55)
        }
    }

    @Test func aLoopThatIsLeftClosesItsCursorAndKeepsTheTransaction() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            try await pool.transaction { tx in
                try await tx.execute("INSERT INTO t VALUES (1)")
                for _ in 0..<20 {
                    for try await _ in tx.cursor("SELECT n FROM generate_series(1, 1000) n", fetch: 10) {
                        break
                    }
                    #expect(try await tx.one(Int.self, "SELECT 1") == 1)
                }
                #expect(try await eventually { try await tx.one(Int.self, Self.open) == 0 })
            }
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 1)
        }
    }

    @Test func outsideATransactionItIsExplained() async throws {
        try await Database().withConnection { (connection) async throws in
            let error = try await failure {
                for try await _ in connection.cursor("SELECT 1") {}
            }
            #expect(error.code == .unexpectedResult && error.message.contains("withHold"))
            var seen = 0
            for try await _ in connection.cursor(
                "SELECT n FROM generate_series(1, 250) n", fetch: 100, withHold: true)
            {
                seen += 1
                #expect(try await connection.one(Int.self, "SELECT 1") == 1)
            }
            #expect(seen == 250)
            for try await _ in connection.cursor(
                "SELECT n FROM generate_series(1, 250) n", fetch: 100, withHold: true)
            {
                break
            }
            #expect(try await eventually { try await connection.one(Int.self, Self.open) == 0 })
        }
    }

    @Test func aCursorThatOutlivesItsTransactionTouchesNobodyElses() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            var escaped: PostgresRowStream.Iterator?
            try await pool.transaction { (tx) async throws in
                escaped = tx.cursor("SELECT n FROM generate_series(1, 1000) n", fetch: 10).makeAsyncIterator()
                #expect(try await escaped?.next() != nil)
            }
            try await pool.transaction { (tx) async throws in
                for _ in 0..<9 { _ = try await escaped?.next() }
                let error = try await failure { while try await escaped?.next() != nil {} }
                #expect(error.code == .transactionFinished)
                escaped = nil
                await reactor.yield()
                try await tx.execute("SELECT 1")
            }
        }
    }

    /// In the text that was given, not in the one that was sent.
    @Test func errorsTellTheirPlaceInTheStatement() async throws {
        try await Database().withConnection { (connection) async throws in
            let sql: SQL = "SELECT 'ééé', nope FROM pg_class"
            for stream in [
                connection.stream(sql), connection.cursor(sql, withHold: true),
                connection.copyRows(query: sql),
            ] {
                let error = try await failure { for try await _ in stream {} }
                #expect(error.position == 15)
            }
            let error = try await failure { for try await _ in connection.copyOut(query: sql) {} }
            #expect(error.position == 15)
        }
    }

    @Test func anErrorInTheStatementSurfacesAndTheTransactionIsRolledBack() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            var seen = 0
            let error = try await failure {
                try await pool.transaction { tx in
                    for try await _ in tx.cursor(
                        "SELECT 1 / (25 - n) FROM generate_series(1, 100) n", fetch: 10)
                    {
                        seen += 1
                    }
                }
            }
            #expect(error.sqlState?.rawValue == "22012" && seen == 20)
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
        }
    }

    @Test func cancelsAtRandomMomentsKeepTheConnection() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("CursorTests seed \(seed)")
        try await Database().withPool(.init(maximum: 2)) { (pool, watcher) async throws in
            var random = SeededGenerator(seed: seed)
            for _ in 0..<60 {
                let victim = Greenlet.spawn { () async throws in
                    try await pool.transaction { tx in
                        for try await row in tx.cursor(
                            "SELECT n FROM generate_series(1, 100000) n", fetch: 10)
                        {
                            if row.index % 7 == 0 { try await tx.execute("SELECT 1") }
                        }
                    }
                }
                try await Greenlet.sleep(for: .microseconds(Int.random(in: 0..<8000, using: &random)))
                victim.cancel()
                #expect(try await pool.one(Int.self, "SELECT 7") == 7)
                #expect(try await victim.join())
            }
            #expect(pool.statistics.connectionsLost == 0 && pool.statistics.counts.borrowed == 0)
            #expect(try await watcher.seesAtRest(pool))
        }
    }
}
