import Foundation
import LocalPostgres
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// What the server and libpq 15 do, on which decisions rest.
@Suite struct LibPQFactTests {
    @Test func aNulInATextIsRefusedBeforeItIsSent() async throws {
        try await Database().withConnection { (connection) async throws in
            let nul = "a\0b"
            await #expect(throws: PostgresValueError.self) { try await connection.execute("SELECT \(nul)") }
            await #expect(throws: PostgresValueError.self) {
                for try await _ in connection.stream("SELECT \(nul)") {}
            }
            let server = try await failure {
                try await connection.execute("SELECT convert_from('\\x610062', 'UTF8')")
            }
            #expect(server.sqlState == .characterNotInRepertoire)
            #expect(try await connection.one(Int.self, "SELECT 1") == 1)
        }
    }

    @Test func sixtyFiveThousandValuesAreBoundAndNoMore() async throws {
        try await Database().withConnection { (connection) async throws in
            var sql: SQL = "SELECT count(*) FROM (VALUES (0)"
            for number in 0..<65_535 { sql += ", (\(Int32(number)))" }
            sql += ") AS v"
            #expect(try await connection.one(Int.self, sql) == 65_536)
            sql += " WHERE \(Int32(1)) = 1"
            let tooMany = sql
            do {
                _ = try await connection.query(tooMany)
                Issue.record("65 536 values were taken")
            } catch let error as PostgresValueError { #expect(error.code == .tooManyParameters) }
            for try await _ in connection.stream("SELECT 1") {}
        }
    }

    @Test func anErrorsPositionCountsCharactersInAStreamToo() async throws {
        try await Database().withConnection { (connection) async throws in
            let error = try await failure { for try await _ in connection.stream("select 'ééé', nope") {} }
            #expect(error.position == 15)
        }
    }

    @Test func copyByQueryIsRefusedAndItsRowsAreThrownAway() async throws {
        try await Database().withConnection { (connection) async throws in
            let error = try await failure {
                try await connection.execute("COPY (SELECT generate_series(1, 200000)) TO STDOUT")
            }
            #expect(error.code == .unexpectedResult && error.message.contains("copyOut"))
            #expect(try await connection.one(Int.self, "SELECT 1") == 1)
        }
    }

    @Test func commitOfAFailedTransactionIsNoSuccess() async throws {
        try await Database().withConnection { (connection) async throws in
            let error = try await failure {
                try await connection.transaction { tx in
                    for try await _ in tx.stream("SELECT 1") {}
                    do { for try await _ in tx.stream("SELECT nope") {} } catch {}
                }
            }
            #expect(error.code == .transactionRolledBack)
        }
    }

    /// Three hundred megabytes go through; buffered they would all be there at the end.
    @Test func aStreamsMemoryDoesNotGrowWithItsRows() async throws {
        let url = try LocalCluster.shared().url
        // In a process of its own, where nobody else has large values.
        await #expect(processExitsWith: .success) { [url = url as String] in
            try await withReactor { _ in
                let connection = try await PostgresConnection.connect(PostgresConfiguration(url))
                var rows = 0
                var before = 0
                var most = 0
                let large: SQL = "SELECT repeat('x', 10000) FROM generate_series(1, 30000)"
                for try await _ in connection.stream(large) {
                    rows += 1
                    if rows == 100 { before = Self.residentBytes() }
                    if rows % 1000 == 0 { most = max(most, Self.residentBytes()) }
                }
                precondition(rows == 30_000)
                precondition(before > 0 && most - before < 100_000_000, "\(most - before) bytes more")
                await connection.close()
            }
        }
    }

    private static func residentBytes() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return pages * 4096
    }
}
