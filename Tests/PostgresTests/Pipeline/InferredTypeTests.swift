import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// A prepared statement keeps the types that were inferred for its values, whatever becomes of the columns.
@Suite struct InferredTypeTests {
    struct Change: Sendable, CustomTestStringConvertible {
        var column: String
        var statement: String
        var change: String
        var value: String

        init(_ column: String, _ statement: String, _ change: String, _ value: String) {
            (self.column, self.statement, self.change, self.value) = (column, statement, change, value)
        }

        var testDescription: String { "\(statement)… of \(column), \(change)" }

        func sql(_ value: String?) -> SQL { SQL(raw: statement) + "\(value))" }
    }

    static let insert = "INSERT INTO t VALUES ("
    static let update = "UPDATE t SET m = ("
    static let select = "SELECT count(*) FROM t WHERE m = ("

    static let changes = [
        Change("mood", insert, "ALTER TABLE t ALTER m TYPE text", "other"),
        Change(
            "mood", insert,
            "DROP TABLE t; DROP TYPE mood; CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE t (m mood)", "b"),
        Change("mood", select, "ALTER TABLE t ALTER m TYPE text; DROP TYPE mood", "b"),
        Change("mood", select, "ALTER TABLE t ALTER m TYPE text", "a"),
        Change("int", insert, "ALTER TABLE t ALTER m TYPE text", "word"),
        Change("int", update, "ALTER TABLE t ALTER m TYPE text", "word"),
        Change("text", update, "ALTER TABLE t ALTER m TYPE int USING 1", "1"),
        Change("text", select, "ALTER TABLE t ALTER m TYPE int USING 1", "1"),
        Change("timestamp", insert, "ALTER TABLE t ALTER m TYPE jsonb USING NULL", "{}"),
        Change("jsonb", insert, "ALTER TABLE t ALTER m TYPE text", "{$1"),
    ]

    @ReactorActor
    private func make(_ change: Change, _ database: any PostgresDatabase) async throws {
        try await database.execute("CREATE TYPE mood AS ENUM ('a')")
        try await database.execute("CREATE TABLE t (m \(raw: change.column))")
    }

    private enum Way: CaseIterable { case query, pipeline, stream, transaction }

    @Test(arguments: changes)
    func aColumnThatChangesItsTypeTakesValuesOfTheNewOne(_ change: Change) async throws {
        for way in Way.allCases {
            try await Database().withConnection { (connection) async throws in
                try await make(change, connection)
                let run: @ReactorActor (String?) async throws -> Void = { value in
                    let sql = change.sql(value)
                    switch way {
                    case .query: try await connection.execute(sql)
                    case .pipeline: try await connection.pipeline { $0.execute(sql) }
                    case .stream: for try await _ in connection.stream(sql) {}
                    case .transaction:
                        try await connection.transaction { (tx) async throws in _ = try await tx.execute(sql)
                        }
                    }
                }
                for _ in 0..<3 { try await run(nil) }
                try await connection.script(change.change)
                // Inside a transaction it fails once, and is not tried again by itself.
                if way == .transaction { _ = try await failure { try await run(change.value) } }
                for _ in 0..<4 { try await run(change.value) }
                if change.statement == Self.insert {
                    let count: Int = try await connection.one(
                        "SELECT count(*) FROM t WHERE m::text = \(change.value)")
                    #expect(count == 4, "what is run again takes effect once")
                }
            }
        }
    }

    @Test func sharedConnectionsFindItToo() async throws {
        let change = Self.changes[0]
        try await Database().withPool(MultiplexedPoolTests.options(2)) { (pool, _) async throws in
            try await make(change, pool)
            for _ in 0..<3 { try await pool.execute(change.sql(nil)) }
            try await pool.withConnection { connection in try await connection.script(change.change) }
            let callers = (0..<20).map { _ in Greenlet.spawn { try await pool.execute(change.sql("other")) } }
            for caller in callers { #expect(try await caller.get() == 1) }
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t WHERE m = 'other'") == 20)
        }
    }

    /// What fails while it runs is not run again; a value that is wrong stays so.
    @Test func errorsOfTheStatementsOwnAreThrownAsTheyAre() async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.script(
                """
                CREATE SEQUENCE runs;
                CREATE FUNCTION f(text) RETURNS int LANGUAGE plpgsql AS
                    $$ BEGIN PERFORM nextval('runs'); RETURN $1::int; END $$
                """)
            let run: @ReactorActor (String) async throws -> Void = { value in
                try await connection.execute("SELECT f(\(value))")
            }
            for _ in 0..<3 { try await run("1") }
            for _ in 0..<3 {
                let error = try await failure { try await run("word") }
                #expect(error.sqlState == .invalidTextRepresentation)
            }
            // nextval is not undone.
            #expect(try await connection.one(Int.self, "SELECT last_value FROM runs") == 6)
            for _ in 0..<4 {
                let error = try await failure { try await connection.execute("SELECT 1 WHERE \("word") = 1") }
                #expect(error.sqlState == .invalidTextRepresentation)
                try await connection.execute("SELECT 1 WHERE \("1") = 1")
            }
        }
    }
}
