import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// The statement cache as the server sees it.
@Suite struct StatementCacheTests {
    /// Makes the server forget all statements, behind the client's back.
    static let unseen: SQL = "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"

    @Test func aStatementIsPreparedAtItsSecondUseInOneRoundTrip() async throws {
        try await Database().withConnection { (connection) async throws in
            var prepared: [Int] = []
            for number in 0..<3 {
                #expect(
                    try await connection.one(Int32.self, "SELECT \(Int32(number)) + 7") == Int32(number) + 7)
                prepared.append(
                    try await connection.one(
                        "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%+ 7'"))
            }
            #expect(prepared == [0, 1, 1])
        }
    }

    @Test func theServerKeepsNoMoreThanTheCapacity() async throws {
        var configuration = try Database().configuration
        configuration.statementCacheSize = 4
        try await withReactor { [configuration] (_) async throws in
            let connection = try await PostgresConnection.connect(configuration)
            for number in 0..<20 {
                for _ in 0..<2 { try await connection.execute(SQL(raw: "SELECT \(number)")) }
            }
            let rows = try await connection.query("SELECT name FROM pg_prepared_statements")
            #expect(rows.count <= 5, "four and the one whose deallocation waits for the next trip")
            await connection.close()
        }
    }

    /// Neither streams nor transactions pass where pipelines outside them have the server forget.
    @Test(arguments: [true, false])
    func whatStreamsAndTransactionsPrepareIsForgottenToo(_ inTransactions: Bool) async throws {
        var database = try Database()
        database.configuration.statementCacheSize = 4
        try await database.withConnection { (connection) async throws in
            for number in 0..<60 {
                let sql = SQL(raw: "SELECT \(number)")
                if inTransactions {
                    try await connection.transaction { (tx) async throws in
                        for _ in 0..<2 { try await tx.execute(sql) }
                    }
                } else {
                    for try await _ in connection.stream(sql) {}
                }
            }
            let known: Int = try await connection.one("SELECT count(*) FROM pg_prepared_statements")
            #expect(known <= 4 + 17, "those that are kept, and those that wait until they are worth a trip")
        }
    }

    @Test func statementsThatSomebodyElsePreparedAreInNobodysWay() async throws {
        try await Database().withConnection { (connection) async throws in
            // As left in the session by an earlier client, in front of a pooler that resets nothing.
            for prefix in ["s", "q", "stmt_"] {
                for number in 0..<10 {
                    try await connection.execute(SQL(raw: "PREPARE \(prefix)\(number) AS SELECT 1"))
                }
            }
            for number in 0..<10 {
                for _ in 0..<3 {
                    #expect(
                        try await connection.one(Int.self, "SELECT 1 + \(raw: "\(number)")") == number + 1)
                }
            }
        }
    }

    /// libpq takes no description of more than 30 000 bytes.
    @Test(arguments: [SQL.mostDescribedParameters, SQL.mostDescribedParameters + 1, 65_535])
    func statementsOfManyValuesAreRunHoweverOften(_ count: Int) async throws {
        try await Database().withConnection { (connection) async throws in
            let values = (0..<count).map { Int32($0) }
            let sql: SQL = "SELECT count(*) FROM unnest(ARRAY[\(list: values)]) AS x"
            for _ in 0..<3 { #expect(try await connection.one(Int.self, sql) == count) }
            for _ in 0..<2 {
                for try await row in connection.stream(sql) {
                    #expect(try row.decode(Int.self, at: 0) == count)
                }
                #expect(try await connection.pipeline { $0.one(Int.self, sql) } == count)
            }
            let error = try await valueFailure {
                try await connection.execute(
                    "SELECT \(list: values), \(list: Array(repeating: 1, count: 65_536 - count))")
            }
            #expect(error.code == .tooManyParameters)
        }
    }

    @ReactorActor
    private func valueFailure(_ body: @ReactorActor () async throws -> Void) async throws
        -> PostgresValueError
    {
        do { try await body() } catch let error as PostgresValueError { return error }
        throw NoFailure()
    }

    /// sqlx #1250: bricked after a migration.
    @Test(arguments: [true, false])
    func aTableThatChangedItsShapeIsReadAnew(_ inPipeline: Bool) async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.execute("CREATE TABLE t (a int)")
            try await connection.execute("INSERT INTO t VALUES (1)")
            let read: @ReactorActor () async throws -> PostgresRows = {
                if inPipeline {
                    try await connection.pipeline { pipeline in
                        pipeline.execute("INSERT INTO t (a) VALUES (2)")
                        return pipeline.query("SELECT * FROM t WHERE a = 1")
                    }
                } else {
                    try await connection.query("SELECT * FROM t WHERE a = 1")
                }
            }
            for _ in 0..<3 { #expect(try await read().columns.count == 1) }
            try await connection.execute("ALTER TABLE t ADD COLUMN b text DEFAULT 'x'")
            for _ in 0..<3 { #expect(try await read().columns.count == 2) }
            let inserted: Int = try await connection.one("SELECT count(*) FROM t WHERE a = 2")
            #expect(inserted == (inPipeline ? 6 : 0), "what went out again took effect once")
        }
    }

    @Test(arguments: [true, false])
    func statementsThatTheServerForgotArePreparedAnew(_ inPipeline: Bool) async throws {
        try await Database().withConnection { (connection) async throws in
            let read: @ReactorActor () async throws -> Int = {
                if inPipeline {
                    try await connection.pipeline { $0.one(Int.self, "SELECT \(1) + 1") }
                } else {
                    try await connection.one(Int.self, "SELECT \(1) + 1")
                }
            }
            for _ in 0..<3 { #expect(try await read() == 2) }
            try await connection.execute(Self.unseen)
            for _ in 0..<3 { #expect(try await read() == 2) }
        }
    }

    /// What a transaction does to itself it need not be run again for.
    @Test(arguments: [true, false])
    func statementsThatTheUserDeallocatesAreForgottenAtOnce(_ inPipeline: Bool) async throws {
        try await Database().withConnection { (connection) async throws in
            for _ in 0..<3 { try await connection.execute("SELECT \(1) + 1") }
            try await connection.transaction { (tx) async throws in
                if inPipeline {
                    try await tx.pipeline { $0.execute("DEALLOCATE ALL") }
                    for _ in 0..<3 {
                        let two = try await tx.pipeline { $0.one(Int.self, "SELECT \(1) + 1") }
                        #expect(two == 2)
                    }
                } else {
                    try await tx.execute("DEALLOCATE ALL")
                    for _ in 0..<3 { #expect(try await tx.one(Int.self, "SELECT \(1) + 1") == 2) }
                }
            }
            // The names that the server knows now are not given again.
            for number in 0..<3 {
                for _ in 0..<3 { try await connection.execute(SQL(raw: "SELECT \(number)")) }
            }
            let names = try await connection.query("SELECT name FROM pg_prepared_statements")
            #expect(names.count == 4)
        }
    }

    @Test func aUsersDiscardLeavesNoStatementThatTheServerDoesNotKnow() async throws {
        try await Database().withConnection { (connection) async throws in
            for _ in 0..<3 { try await connection.execute("SELECT \(1) + 1") }
            try await connection.execute("DISCARD ALL")
            try await connection.transaction { (tx) async throws in
                for _ in 0..<3 { #expect(try await tx.one(Int.self, "SELECT \(1) + 1") == 2) }
            }
        }
    }

    @Test(arguments: [true, false])
    func insideATransactionAStalePlanIsSafeToTryAgain(_ inPipeline: Bool) async throws {
        try await Database().withConnection { (connection) async throws in
            for _ in 0..<3 { try await connection.execute("SELECT \(1) + 1") }
            try await connection.execute(Self.unseen)
            let run: @ReactorActor () async throws -> Int = {
                try await connection.transaction { tx in
                    if inPipeline {
                        try await tx.pipeline { $0.one(Int.self, "SELECT \(1) + 1") }
                    } else {
                        try await tx.one(Int.self, "SELECT \(1) + 1")
                    }
                }
            }
            let error = try await failure { _ = try await run() }
            #expect(error.isRetrySafe)
            #expect(try await run() == 2)
        }
    }

    /// Once a segment is committed in the middle, another try would do its first half twice.
    @Test func aSegmentThatControlsTransactionsIsNotTriedAgain() async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.execute("CREATE TABLE t (n int)")
            for _ in 0..<3 { try await connection.execute("SELECT \(1) + 1") }
            try await connection.execute(Self.unseen)
            let error = try await failure {
                _ = try await connection.pipeline { pipeline in
                    pipeline.execute("INSERT INTO t VALUES (1)")
                    pipeline.execute("COMMIT")
                    return pipeline.execute("SELECT \(1) + 1")
                }
            }
            #expect(error.isRetrySafe)
            #expect(try await connection.one(Int.self, "SELECT count(*) FROM t") == 1)
        }
    }

    @Test func aStatementThatCannotBePreparedFailsAsItDidUnprepared() async throws {
        try await Database().withConnection { (connection) async throws in
            for _ in 0..<3 {
                let error = try await failure { try await connection.execute("SELECT * FROM absent") }
                #expect(error.sqlState == .undefinedTable && error.position == 15)
            }
            try await connection.execute("CREATE TABLE absent (n int)")
            #expect(try await connection.execute("SELECT * FROM absent") == 0)
        }
    }

    @Test func copyAsAnOrdinaryStatementStaysAnErrorHoweverOften() async throws {
        try await Database().withConnection { (connection) async throws in
            for _ in 0..<4 {
                _ = try await failure { try await connection.execute("COPY (SELECT 1) TO STDOUT") }
                #expect(try await connection.one(Int.self, "SELECT 1") == 1)
            }
        }
    }
}
