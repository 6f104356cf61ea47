import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct PostgresConnectionTests {
    @Test func valuesGoBothWaysUnpreparedAndPrepared() async throws {
        try await Database().withConnection { (connection) async throws in
            for _ in 1...4 {
                let rows = try await connection.query(
                    "SELECT \(Int64(41)) + 1 AS n, \("héllo") || '!' AS t, \(true) AS b, \(nil as Int32?) AS nothing"
                )
                let row = try #require(rows.first)
                #expect(try row.decode(Int64.self, at: 0) == 42)
                #expect(try row.decode(String.self, named: "t") == "héllo!")
                #expect(try row.decode(Bool.self, at: 2))
                #expect(try row.decode(Int32?.self, at: 3) == nil)
            }
        }
    }

    @Test func aStatementComesInBinaryFromItsThirdUseWhenAllColumnsCan() async throws {
        try await Database().withConnection { (connection) async throws in
            func format(_ sql: SQL) async throws -> PostgresFormat {
                try await connection.query(sql).columns[0].format
            }
            #expect(try await format("SELECT 1::int4") == .text)
            // Prepared, run and described in one trip: how its columns can come is known behind it.
            #expect(try await format("SELECT 1::int4") == .text)
            #expect(try await format("SELECT 1::int4") == .binary)
            // What money looks like depends on the server's locale; there is no use in its binary form.
            for _ in 0..<2 { _ = try await format("SELECT 1::int4, 1::money") }
            #expect(try await format("SELECT 1::int4, 1::money") == .text)
        }
    }

    @Test func rowsAffectedAndSingleValues() async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.script("CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2)")
            #expect(try await connection.execute("UPDATE t SET n = n + 1") == 2)
            let sum: Int = try await connection.one("SELECT sum(n) FROM t")
            #expect(sum == 5)
            let error = try await failure { _ = try await connection.one(Int.self, "SELECT n FROM t") }
            #expect(error.code == .unexpectedResult)
        }
    }

    @Test func serverErrorsHaveAllTheirFieldsAndCountCharacters() async throws {
        try await Database().withConnection { (connection) async throws in
            let error = try await failure { try await connection.execute("select 'ééé', nope") }
            #expect(error.sqlState == .undefinedColumn && error.position == 15 && error.severity == "ERROR")
            try await connection.script(
                "CREATE TABLE t (id int CONSTRAINT t_key PRIMARY KEY); INSERT INTO t VALUES (7)")
            let duplicate = try await failure {
                try await connection.execute("INSERT INTO t VALUES (\(Int32(7)))")
            }
            #expect(
                duplicate.sqlState == .uniqueViolation && duplicate.constraint == "t_key"
                    && duplicate.table == "t")
            #expect(duplicate.detail?.contains("7") == true && !duplicate.description.contains("7)"))
            let value: Int = try await connection.one("SELECT 1")
            #expect(value == 1)
        }
    }

    @Test func aStatementAndAValueLargerThanAnySocketBuffer() async throws {
        try await Database().withConnection { (connection) async throws in
            let large = [UInt8](repeating: 7, count: 20_000_000)
            let length: Int = try await connection.one("SELECT octet_length(\(large))")
            #expect(length == large.count)
        }
    }

    @Test func aLargeResultArrivesWholeWhileTheReactorGoesOn() async throws {
        try await Database().withConnection { (connection) async throws in
            var turns = 0
            let ticker = Greenlet.spawn { () async throws in
                while true {
                    try await Greenlet.sleep(for: .milliseconds(1))
                    turns += 1
                }
            }
            let rows = try await connection.query(
                "SELECT n, repeat('x', 100) FROM generate_series(1, 200000) n")
            #expect(rows.count == 200_000)
            #expect(try rows[199_999].decode(Int.self, at: 0) == 200_000)
            #expect(turns > 3)
            try await ticker.kill()
        }
    }

    @Test func aSecondUserIsToldThatTheConnectionIsBusy() async throws {
        try await Database().withConnection { (connection) async throws in
            let first = Greenlet.spawn { try await connection.execute("SELECT pg_sleep(0.2)") }
            await reactor.yield()
            let error = try await failure { try await connection.execute("SELECT 1") }
            #expect(error.code == .connectionBusy && error.isRetrySafe)
            #expect(try await first.get() == 1)
        }
    }

    @Test func stalePreparedStatementsAreRenewedOutsideATransaction() async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.script("CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
            for _ in 1...3 { #expect(try await connection.query("SELECT * FROM t")[0].columns.count == 1) }
            try await connection.script("ALTER TABLE t ADD COLUMN m text DEFAULT 'new'")
            for _ in 1...3 { #expect(try await connection.query("SELECT * FROM t")[0].columns.count == 2) }
            try await connection.execute(StatementCacheTests.unseen)
            for _ in 1...3 { #expect(try await connection.query("SELECT * FROM t")[0].columns.count == 2) }
        }
    }

    @Test func inATransactionAStalePlanIsAnErrorThatTellsToTryAgain() async throws {
        try await Database().withConnection { (connection) async throws in
            for _ in 1...3 { try await connection.execute("SELECT 1") }
            try await connection.execute(StatementCacheTests.unseen)
            let error = try await failure {
                try await connection.transaction { tx in _ = try await tx.execute("SELECT 1") }
            }
            #expect(error.sqlState == .invalidSQLStatementName && error.isRetrySafe)
            try await connection.transaction { tx in _ = try await tx.execute("SELECT 1") }
        }
    }

    @Test func evictedStatementsAreForgottenByTheServerToo() async throws {
        var configuration = try Database().configuration
        configuration.statementCacheSize = 3
        try await withReactor { [configuration] (_) async throws in
            let connection = try await PostgresConnection.connect(configuration)
            for number in 1...20 {
                for _ in 1...2 { try await connection.execute(SQL(raw: "SELECT \(number)")) }
            }
            let known: Int = try await connection.one("SELECT count(*) FROM pg_prepared_statements")
            #expect(known <= 4)
            await connection.close()
        }
    }

    @Test func withoutACacheNothingIsPrepared() async throws {
        var configuration = try Database().configuration
        configuration.statementCacheSize = 0
        try await withReactor { [configuration] (_) async throws in
            let connection = try await PostgresConnection.connect(configuration)
            for _ in 1...3 { try await connection.execute("SELECT 1") }
            let known: Int = try await connection.one("SELECT count(*) FROM pg_prepared_statements")
            #expect(known == 0)
            await connection.close()
        }
    }

    @Test(arguments: ["COPY (SELECT generate_series(1, 100000)) TO STDOUT", "COPY t FROM STDIN"])
    func copyIsRefusedAndTheConnectionStaysGood(text: String) async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.script("CREATE TABLE t (n int)")
            _ = try await failure { try await connection.execute(SQL(raw: text)) }
            let value: Int = try await connection.one("SELECT 1")
            #expect(value == 1 && connection.transactionStatus == .idle)
        }
    }

    @Test func anEmptyStatementHasNoRows() async throws {
        try await Database().withConnection { (connection) async throws in
            #expect(try await connection.query("").isEmpty)
            #expect(try await connection.query("SELECT FROM generate_series(1, 3)").count == 3)
        }
    }

    @Test func closingFreesTheSessionOnTheServerBeforeItReturns() async throws {
        let database = try Database()
        try await withReactor { (_) async throws in
            let watcher = try await Watcher(database.configuration)
            for _ in 1...10 {
                let connection = try await PostgresConnection.connect(database.configuration)
                #expect(try await watcher.sessions() == 1)
                await connection.close()
                #expect(try await watcher.sessions() == 0)
            }
            await watcher.connection.close()
        }
    }

    @Test func aClosedConnectionSaysSo() async throws {
        try await Database().withConnection { (connection) async throws in
            await connection.close()
            await connection.close()
            let error = try await failure { try await connection.execute("SELECT 1") }
            #expect(error.code == .connectionClosed)
        }
    }

    @Test func aConnectionThatIsDroppedLeavesNothingBehind() async throws {
        let database = try Database()
        try await withReactor { (_) async throws in
            let watcher = try await Watcher(database.configuration)
            do { _ = try await PostgresConnection.connect(database.configuration) }
            #expect(try await eventually { try await watcher.sessions() == 0 })
            await watcher.connection.close()
        }
    }

    @Test func theServersFarewellIsTheErrorOfTheNextStatement() async throws {
        let database = try Database()
        try await withReactor { (_) async throws in
            let watcher = try await Watcher(database.configuration)
            let connection = try await PostgresConnection.connect(database.configuration)
            #expect(try await watcher.terminateAll() == 1)
            #expect(try await eventually { !connection.isUsable })
            let error = try await failure { try await connection.execute("SELECT 1") }
            #expect(error.code == .connectionLost && error.sqlState == .adminShutdown && !error.isRetrySafe)
            await connection.close()
            await watcher.connection.close()
        }
    }

    @Test func aStatementWhoseBackendIsKilledFailsAndSaysWhy() async throws {
        let database = try Database()
        try await withReactor { (_) async throws in
            let watcher = try await Watcher(database.configuration)
            let connection = try await PostgresConnection.connect(database.configuration)
            let sleeper = Greenlet.spawn {
                try await failure { try await connection.execute("SELECT pg_sleep(60)") }
            }
            #expect(try await eventually { try await watcher.active() == 1 })
            try await watcher.terminateAll()
            let error = try await sleeper.get()
            #expect(error.code == .connectionLost && error.sqlState == .adminShutdown)
            await connection.close()
            await watcher.connection.close()
        }
    }

    @Test func blockingLookingCodeInAGreenlet() async throws {
        let configuration = try Database().configuration
        try await withReactor { (_) async throws in
            try await Greenlet.spawn { () throws in
                let connection = try PostgresConnection.connect(configuration)
                try connection.script("CREATE TABLE t (n int)")
                try connection.execute("INSERT INTO t VALUES (\(Int32(3)))")
                let sum = try connection.transaction { tx in try tx.one(Int.self, "SELECT sum(n) FROM t") }
                #expect(sum == 3)
                try connection.close()
            }.get()
        }
    }
}
