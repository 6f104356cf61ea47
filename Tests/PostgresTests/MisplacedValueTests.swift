import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// A value inside quotes would be left out without a word.
@Suite struct MisplacedValueTests {
    static func like(_ id: Int32) -> SQL { "SELECT relname FROM pg_class WHERE relname LIKE '%\(id)%'" }

    @ReactorActor
    private func expectRefusal(_ body: @ReactorActor () async throws -> Void) async {
        let error = await #expect(throws: PostgresValueError.self) { try await body() }
        #expect(error?.code == .misplacedValue)
    }

    @Test(arguments: [256, 0])
    func isRefusedHoweverItIsSentAndHoweverOften(_ cache: Int) async throws {
        var database = try Database()
        database.configuration.statementCacheSize = cache
        try await database.withConnection { (connection) async throws in
            for number in 0..<3 {
                let sql = Self.like(Int32(number))
                await expectRefusal { _ = try await connection.query(sql) }
                await expectRefusal { _ = try await connection.pipeline { $0.query(sql) } }
                await expectRefusal { for try await _ in connection.stream(sql) {} }
                await expectRefusal { for try await _ in connection.cursor(sql, withHold: true) {} }
            }
            #expect(try await connection.one(Int.self, "SELECT 1") == 1)
        }
    }

    @Test(arguments: [PostgresPoolMode.multiplexed(connections: 1), .automatic, .exclusive])
    func isRefusedByPoolsOfAllModes(_ mode: PostgresPoolMode) async throws {
        try await Database().withPool(.init(maximum: 1, mode: mode)) { (pool, _) async throws in
            for number in 0..<3 { await expectRefusal { _ = try await pool.query(Self.like(Int32(number))) } }
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
        }
    }

    /// Then a backslash may be more than itself, and who reads the text otherwise would see quotes where there are none.
    @Test func whereBackslashesEscapeNothingIsRefused() async throws {
        try await Database().withConnection { (connection) async throws in
            let sql: SQL = "SELECT 'it\\'s ' || \("mine")"
            await expectRefusal { _ = try await connection.query(sql) }
            try await connection.script(
                "SET standard_conforming_strings = off; SET escape_string_warning = off")
            for _ in 0..<3 { #expect(try await connection.one(String.self, sql) == "it's mine") }
        }
    }
}
