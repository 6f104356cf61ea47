import Greenlets
import PostgresValues
import ReactorCore
import Testing

@testable import Postgres

/// Opens as many connections as the pool may have and gives them back.
@ReactorActor
func fill(_ pool: PostgresPool) async throws {
    let maximum = pool.statistics.counts.maximum
    let gate = Event()
    let greenlets = (0..<maximum).map { _ in
        Greenlet.spawn { () async throws in try await pool.withConnection { _ in _ = try await gate.wait() } }
    }
    let isFull = try await eventually { pool.statistics.counts.borrowed == maximum }
    #expect(isFull)
    gate.set()
    for greenlet in greenlets { try await greenlet.get() }
}
