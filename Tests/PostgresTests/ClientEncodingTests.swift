import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Texts are UTF-8 on the wire, whatever a statement says.
@Suite struct ClientEncodingTests {
    @Test(arguments: [false, true])
    func aStatementThatChangesItCostsTheConnectionInsteadOfTheTexts(_ inTransaction: Bool) async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t (x text)")
            let change: @ReactorActor (any PostgresDatabase) async throws -> Void = { database in
                try await database.execute("SET client_encoding = 'LATIN1'")
                try await database.execute("INSERT INTO t VALUES (\("é"))")
            }
            let error = try await failure {
                if inTransaction {
                    try await pool.transaction { (tx) async throws in try await change(tx) }
                } else {
                    try await pool.withConnection { connection in try await change(connection) }
                }
            }
            #expect(error.code == .connectionClosed && error.message.contains("LATIN1"))
            #expect(pool.statistics.connectionsLost == 1)
            // The next one is as it should be.
            try await pool.execute("INSERT INTO t VALUES (\("ü"))")
            #expect(try await pool.one(String.self, "SELECT string_agg(x, '') FROM t") == "ü")
            #expect(try await pool.one(Int.self, "SELECT max(octet_length(x)) FROM t") == 2)
        }
    }

    @Test func aPipelineAndAFunctionCostItToo() async throws {
        for sql in [
            "SET client_encoding = 'WIN1252'", "SELECT set_config('client_encoding', 'WIN1252', false)",
        ] {
            try await Database().withConnection { (connection) async throws in
                try await connection.pipeline { $0.execute(SQL(raw: sql)) }
                let error = try await failure { try await connection.execute("SELECT 1") }
                #expect(error.message.contains("WIN1252"))
            }
        }
    }

    @Test func aScriptThatSetsItBackOrMeansTheSameDoesNoHarm() async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.script(
                "SET client_encoding = 'LATIN1'; SELECT 1; SET client_encoding = 'UTF8'")
            try await connection.script("SET client_encoding = 'Unicode'; SET NAMES 'utf-8'")
            try await connection.transaction { (tx) async throws in
                try await tx.execute("SET LOCAL client_encoding = 'SQL_ASCII'")
                #expect(try await tx.one(String.self, "SELECT \("é")") == "é")
            }
            #expect(connection.serverParameter("client_encoding") == "UTF8")
        }
    }
}
