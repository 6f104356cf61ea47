import Greenlets
import PostgresValues
import ReactorCore
import Testing

@testable import Postgres

/// Opens as many connections as the pool may have and gives them back.
@ReactorActor
func fill(_ pool: PostgresPool) async throws {
    let greenlets = (0..<pool.statistics.counts.maximum).map { _ in
        Greenlet.spawn { try await pool.execute("SELECT pg_sleep(0.1)") }
    }
    for greenlet in greenlets { _ = try await greenlet.get() }
}
