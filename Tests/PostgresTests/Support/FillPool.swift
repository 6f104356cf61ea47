import Greenlets
import ReactorCore
import Testing

@testable import Postgres

/// Opens as many connections as the pool may have and gives them back.
@ReactorActor
func fill(_ pool: PostgresPool) async throws {
    let maximum = pool.statistics.counts.maximum
    let holders = Holders(maximum, of: pool)
    // None gives its connection back before, or the first would serve the last, where it takes long to open one.
    let isFull = try await eventually(within: .seconds(50)) { pool.statistics.counts.borrowed == maximum }
    #expect(isFull)
    try await holders.release()
}

/// Greenlets that hold a connection each, or wait for one, until they are released.
@ReactorActor
final class Holders {
    private var greenlets: [Greenlet<Void>] = []
    private let gate = Event()

    init(_ count: Int, of pool: PostgresPool) {
        greenlets = (0..<count).map { _ in
            Greenlet.spawn { [gate] () async throws in
                try await pool.withConnection(timeout: .seconds(50)) { _ in _ = try await gate.wait() }
            }
        }
    }

    /// Lets them give their connections back, and waits for them.
    func release() async throws {
        gate.set()
        for greenlet in greenlets { try await greenlet.get() }
    }
}
