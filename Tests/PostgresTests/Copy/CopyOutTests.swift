import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Rows come out by COPY at the consumer's pace.
@Suite struct CopyOutTests {
    private static let endless: SQL = "SELECT generate_series(1, 100000000), repeat('x', 100)"

    @Test func chunksAreTheServersBytes() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute(
                "CREATE TABLE t AS SELECT n, 'row ' || n AS t FROM generate_series(1, 30000) n")
            var text: [UInt8] = []
            for try await chunk in pool.copyOut(table: "t", columns: ["t", "n"], format: .csv(header: true)) {
                #expect(!chunk.isEmpty)
                text += chunk
            }
            let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
            #expect(lines.count == 30_001 && lines[0] == "t,n" && lines[30_000] == "row 30000,30000")
            let greenlet = Greenlet.spawn { () throws in
                var bytes = 0
                try pool.copyOut(query: "SELECT n FROM t").forEachChunk { bytes += $0.count }
                return bytes
            }
            #expect(try await greenlet.get() == 168_894)
        }
    }

    @Test func rowsAreDecodedAndWhatWentOutComesIn() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, _) async throws in
            try await pool.execute(
                "CREATE TABLE t AS SELECT n, CASE WHEN n % 3 > 0 THEN E'\\\\ ü\\t' || n END AS t FROM generate_series(1, 30000) n"
            )
            var next = 0
            for try await row in pool.copyRows(table: "t") {
                #expect(row.index == next && row.columns[0].format == .binary)
                next += 1
                let (number, text) = try row.decode(Int.self, String?.self)
                #expect(number == next && text == (next % 3 > 0 ? "\\ ü\t\(next)" : nil))
            }
            #expect(next == 30_000)
            // A type without a binary decoder makes it text.
            for try await row in pool.copyRows(query: "SELECT 5, '1 2'::oidvector") {
                #expect(row.columns[0].format == .text)
                #expect(try row.decode(Int.self, at: 0) == 5)
            }
            try await pool.execute("CREATE TABLE u (LIKE t)")
            for format in [PostgresCopyFormat.binary, .text, .csv(header: true)] {
                let count = try await pool.copyIn(
                    into: "u", format: format, chunks: pool.copyOut(table: "t", format: format))
                #expect(count == 30_000)
            }
            let same = try await pool.one(
                Int.self, "SELECT count(*) FROM t JOIN u ON t.n = u.n AND t.t IS NOT DISTINCT FROM u.t")
            #expect(same == 90_000)
        }
    }

    /// COPY leaves generated columns out where none are named; SELECT does not.
    @Test func generatedColumnsAreNeitherSentNorExpected() async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.execute(
                "CREATE TABLE t (a int, gone int, b int GENERATED ALWAYS AS (a * 2) STORED, c text)")
            try await connection.execute("ALTER TABLE t DROP COLUMN gone")
            for format in [PostgresCopyFormat.text, .binary] {
                try await connection.copyIn(into: "t", format: format, rows: [(Int32(1), "x")])
            }
            for columns in [[], ["c", "a"], ["b", "c", "a"]] {
                var rows = 0
                let stream =
                    columns.contains("b")
                    ? connection.copyRows(query: "SELECT b, c, a FROM t")
                    : connection.copyRows(table: "t", columns: columns)
                for try await row in stream {
                    #expect(try row.decode(String.self, named: "c") == "x")
                    #expect(try row.decode(Int.self, named: "a") == 1)
                    if columns.contains("b") { #expect(try row.decode(Int.self, named: "b") == 2) }
                    rows += 1
                }
                #expect(rows == 2)
            }
            // What has columns of no table.
            try await connection.execute("CREATE VIEW v AS SELECT a, a + 1 AS n FROM t")
            let error = try await failure { for try await _ in connection.copyRows(table: "v") {} }
            #expect(error.sqlState == .wrongObjectType)
        }
    }

    @Test func aConsumerThatLeavesOrPausesIsFollowed() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            for try await _ in pool.copyOut(query: Self.endless) { break }
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            for try await _ in pool.copyRows(query: Self.endless) { break }
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            let greenlet = Greenlet.spawn { () throws in
                #expect(throws: NoFailure.self) {
                    try pool.copyOut(query: Self.endless).forEachChunk { _ in throw NoFailure() }
                }
            }
            #expect(try await greenlet.join())
            #expect(try await watcher.seesAtRest(pool))
            var chunks: PostgresCopyStream.Iterator? = pool.copyOut(query: Self.endless).makeAsyncIterator()
            #expect(try await chunks?.next() != nil)
            #expect(try await eventually { try await watcher.waitsForItsClient() })
            chunks = nil
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            #expect(pool.statistics.connectsSucceeded == 1 && pool.statistics.connectionsLost == 0)
        }
    }

    @Test func errorsComeBeforeOrBehindTheData() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            let missing = try await failure { for try await _ in pool.copyOut(table: "nope") {} }
            #expect(missing.sqlState == .undefinedTable)
            var bytes = 0
            let middle = try await failure {
                for try await chunk in pool.copyOut(
                    query: "SELECT 1 / (50000 - n) FROM generate_series(1, 90000) n")
                {
                    bytes += chunk.count
                }
            }
            #expect(middle.sqlState?.rawValue == "22012" && bytes > 90_000)
            await #expect(throws: PostgresValueError.self) {
                for try await _ in pool.copyOut(query: "SELECT \(1)") {}
            }
            let late = try await failure {
                for try await _ in pool.copyOut(query: "SELECT pg_sleep(60)", timeout: .milliseconds(50)) {}
            }
            #expect(late.code == .timedOut)
            let killed = try await failure {
                for try await _ in pool.copyOut(query: Self.endless) {
                    try await watcher.connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \(watcher.name)"
                    )
                }
            }
            #expect(killed.code == .connectionLost)
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
        }
    }
}
