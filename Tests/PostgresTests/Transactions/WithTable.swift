import PostgresValues
import ReactorCore

@testable import Postgres

/// A pool on a database with an empty table `t (n int)`.
func withTable(
    maximum: Int = 1, _ body: @escaping @Sendable @ReactorActor (PostgresPool) async throws -> Void
) async throws {
    try await Database().withPool(.init(maximum: maximum)) { (pool, _) async throws in
        try await pool.execute("CREATE TABLE t (n int)")
        try await body(pool)
    }
}
