import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// What a stream hands out, in which order, and how it ends.
@Suite struct RowStreamTests {
    @Test func allRowsComeInOrderAndAreCountedThroughout() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            for _ in 1...2 {
                var next = 0
                for try await row in pool.stream(
                    "SELECT n, 'row ' || n, NULL FROM generate_series(1, 50000) n")
                {
                    #expect(row.index == next)
                    next += 1
                    let (number, text) = try row.decode(Int.self, String.self)
                    #expect(number == next && text == "row \(next)" && row.isNull(at: 2))
                }
                #expect(next == 50_000 && pool.statistics.counts.borrowed == 0)
            }
            #expect(pool.statistics.connectsSucceeded == 1)
        }
    }

    @Test func rowsComeInBinaryFromTheFirstUseAndValuesAreBound() async throws {
        try await Database().withConnection { (connection) async throws in
            var rows: [Int32] = []
            for try await row in connection.stream("SELECT \(Int32(40)) + n FROM generate_series(1, 2) n") {
                #expect(row.columns[0].format == .binary)
                rows.append(try row.decode(at: 0))
            }
            #expect(rows == [41, 42])
        }
    }

    @Test func withoutPreparedStatementsRowsComeAsText() async throws {
        var configuration = try Database().configuration
        configuration.statementCacheSize = 0
        try await withReactor { [configuration] (_) async throws in
            let connection = try await PostgresConnection.connect(configuration)
            for try await row in connection.stream("SELECT \(Int32(40)) + 2") {
                #expect(row.columns[0].format == .text)
                #expect(try row.decode(Int.self, at: 0) == 42)
            }
            await connection.close()
        }
    }

    @Test func synchronousCodeReadsByForEachRowAndByAForLoop() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            let sql: SQL = "SELECT n FROM generate_series(1, 20000) n"
            let greenlet = Greenlet.spawn { () throws in
                var sums = [0, 0, 0]
                try pool.forEachRow(sql) { row in sums[0] += try row.decode(Int.self, at: 0) }
                try pool.withRows(streaming: sql) { rows in
                    for row in rows { sums[1] += try row.decode(Int.self, at: 0) }
                }
                try pool.withRows(streaming: sql) { rows in
                    while let row = try rows.nextRow() { sums[2] += try row.decode(Int.self, at: 0) }
                }
                return sums
            }
            #expect(try await greenlet.get() == [200_010_000, 200_010_000, 200_010_000])
        }
    }

    @Test func anErrorComesBehindTheRowsBeforeIt() async throws {
        try await Database().withConnection { (connection) async throws in
            let sql: SQL = "SELECT 1 / (5000 - n) FROM generate_series(1, 10000) n"
            var seen = 0
            let error = try await failure { for try await _ in connection.stream(sql) { seen += 1 } }
            #expect(error.sqlState?.rawValue == "22012" && seen == 4999)

            let greenlet = Greenlet.spawn { () throws in
                var seen = 0
                do {
                    try connection.withRows(streaming: sql) { rows in for _ in rows { seen += 1 } }
                } catch let error as PostgresError { return (seen, error.sqlState?.rawValue) }
                return (seen, nil)
            }
            #expect(try await greenlet.get() == (4999, "22012"))
            #expect(try await connection.one(Int.self, "SELECT 1") == 1)
        }
    }

    @Test func anErrorBeforeTheFirstRowAndStatementsWithoutRows() async throws {
        try await Database().withConnection { (connection) async throws in
            let error = try await failure { for try await _ in connection.stream("SELECT nope") {} }
            #expect(error.sqlState == .undefinedColumn)
            for try await _ in connection.stream("CREATE TABLE t (n int)") { Issue.record("a row of CREATE") }
            for try await _ in connection.stream("INSERT INTO t VALUES (1), (2)") {
                Issue.record("a row of INSERT")
            }
            var returned: [Int] = []
            for try await row in connection.stream("UPDATE t SET n = n + 1 RETURNING n") {
                returned.append(try row.decode(at: 0))
            }
            #expect(returned == [2, 3])
            let copy = try await failure { for try await _ in connection.stream("COPY t TO STDOUT") {} }
            #expect(copy.code == .unexpectedResult && copy.message.contains("copyOut"))
            #expect(try await connection.one(Int.self, "SELECT count(*) FROM t") == 2)
        }
    }

    @Test func afterItsEndAStreamStaysAtItsEnd() async throws {
        try await Database().withConnection { (connection) async throws in
            var rows = connection.stream("SELECT 1").makeAsyncIterator()
            #expect(try await rows.next() != nil)
            #expect(try await rows.next() == nil)
            #expect(try await rows.next() == nil)
            var failing = connection.stream("SELECT nope").makeAsyncIterator()
            _ = try await failure { _ = try await failing.next() }
            #expect(try await failing.next() == nil)
        }
    }

    @Test func aStreamTimesOutAsAWhole() async throws {
        try await Database().withConnection { (connection) async throws in
            var seen = 0
            let error = try await failure {
                let rows = connection.stream(
                    "SELECT n, pg_sleep(0.02) FROM generate_series(1, 10000) n", timeout: .milliseconds(300))
                for try await _ in rows { seen += 1 }
            }
            #expect(error.code == .timedOut && seen < 1000)
            #expect(try await connection.one(Int.self, "SELECT 1") == 1)
        }
    }

    @Test func whileAStreamIsOpenOtherStatementsAreRefused() async throws {
        try await Database().withConnection { (connection) async throws in
            var rows = connection.stream("SELECT generate_series(1, 1000000)").makeAsyncIterator()
            #expect(try await rows.next() != nil)
            let error = try await failure { try await connection.execute("SELECT 1") }
            #expect(error.code == .connectionBusy && error.message.contains("stream"))
            #expect(try await rows.next() != nil)
        }
    }

    @Test func aStalePreparedStatementIsRenewedForAStreamToo() async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.script("CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
            for try await row in connection.stream("SELECT * FROM t") { #expect(row.columns.count == 1) }
            try await connection.script("ALTER TABLE t ADD COLUMN m text DEFAULT 'new'")
            for _ in 1...2 {
                var seen = 0
                for try await row in connection.stream("SELECT * FROM t") {
                    #expect(row.columns.count == 2)
                    seen += 1
                }
                #expect(seen == 1)
            }
        }
    }

    @Test func rowsWiderThanAnyBatchComeWhole() async throws {
        try await Database().withConnection { (connection) async throws in
            var seen = 0
            for try await row in connection.stream("SELECT repeat('x', 3000000) FROM generate_series(1, 3)") {
                #expect(try row.decode(String.self, at: 0).utf8.count == 3_000_000)
                seen += 1
            }
            #expect(seen == 3)
        }
    }
}
