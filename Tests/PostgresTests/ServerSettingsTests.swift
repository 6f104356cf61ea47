import Glibc
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Settings that sessions begin with.
@Suite struct ServerSettingsTests {
    @Test func aSessionBeginsWithThemAndComesBackToThem() async throws {
        var database = try Database()
        database.configuration["options"] = "-c work_mem=5MB"
        database.configuration.serverSettings = [
            "statement_timeout": "31s", "application_name": "a \\ b  c'", "green.note": "",
            "green.lines": "a\r\nb \u{301}\\\u{301}c",
        ]
        try await database.withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute("SET statement_timeout = 0")
            // Another borrower, after the reset.
            #expect(try await pool.one(String.self, "SHOW green.lines") == "a\r\nb \u{301}\\\u{301}c")
            let values: (String, String, String) = try await pool.withConnection { connection in
                (
                    try await connection.one("SHOW statement_timeout"),
                    try await connection.one("SHOW application_name"),
                    try await connection.one("SHOW work_mem")
                )
            }
            #expect(values == ("31s", "a \\ b  c'", "5MB"))
            #expect(pool.statistics.connectsSucceeded == 1)
        }
    }

    @Test(arguments: [
        ("statement timeout", "1"), ("", "1"), ("a=b", "1"), ("work_mem", "5MB\0"), ("no_such_setting", "1"),
        ("work_mem", "lots"),
    ])
    func aWrongOneFailsTheConnectAndIsNamed(name: String, value: String) async throws {
        var configuration = try Database().configuration
        configuration.serverSettings = [name: value]
        try await withReactor { [configuration] _ in
            let error = try await failure {
                let connection = try await PostgresConnection.connect(configuration)
                await connection.close()
            }
            #expect(error.code == .invalidConfiguration || error.code == .connectFailed)
            #expect(error.message.contains(name), "\(error)")
        }
    }

    /// Fact 8: a statement whose client is gone runs to its end, unless the server looks for it.
    @Test(arguments: [true, false])
    func aStatementWhoseClientDiesEndsWithItWhenTheServerLooks(looks: Bool) async throws {
        var database = try Database()
        try await database.withConnection { (connection) async throws in
            try await connection.script("CREATE TABLE t (n int)")
        }
        if looks { database.configuration.serverSettings = ["client_connection_check_interval": "10ms"] }
        try await database.withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            try await pool.withConnection { connection in
                let writer = Greenlet.spawn { () async throws in
                    try await connection.execute("INSERT INTO t SELECT 1 FROM pg_sleep(1)")
                }
                #expect(try await eventually { try await watcher.sleeping() == 1 })
                // As the kernel does it for a process that was killed.
                let descriptor = try connection.lent().descriptor
                #expect(shutdown(descriptor, Int32(SHUT_RDWR)) == 0)
                let error = try await failure { _ = try await writer.get() }
                #expect(error.code == .connectionLost)
            }
            #expect(try await eventually { try await watcher.sleeping() == 0 })
            #expect(try await eventually { try await watcher.sessions() == 0 })
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == (looks ? 0 : 1))
        }
    }
}
