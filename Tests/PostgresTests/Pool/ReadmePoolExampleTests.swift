import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// The README's example of the pool.
@Suite struct ReadmePoolExampleTests {
    @Test func runs() async throws {
        let configuration = try Database().configuration
        try await withReactor { (_) async throws in
            var options = PostgresPoolOptions(label: "shop", maximum: 20, minimum: 2)
            options.hooks.onConnect = { connection in
                _ = try await connection.execute("SET statement_timeout = '30s'")
            }
            let db = PostgresPool(configuration, options)
            try await db.warmUp()

            try await db.withConnection(label: "report") { connection in
                try await connection.script("SELECT 1; SELECT 2")
            }
            let lease = try await db.lease(label: "cursor")
            #expect(try await lease.connection.one(String.self, "SHOW statement_timeout") == "30s")

            #expect(db.statistics.counts.borrowed == 1 && db.statistics.evictions.isEmpty)
            db.resize(minimum: 4, maximum: 40)
            db.recycle()
            lease.end()
            #expect(try await eventually { db.statistics.counts.idle == 4 })
            await db.close()
        }
    }
}
