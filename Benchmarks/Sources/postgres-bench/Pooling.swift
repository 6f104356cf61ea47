import Measuring
import Postgres
import ReactorCore

@ReactorActor private var pool: PostgresPool?

/// What the pool itself takes for a borrower that finds an idle connection, in nanoseconds: no statement is sent.
let poolBenchmarks = [
    Benchmark(
        "acquire-release", tearDown: { _ = pool.map { $0.statistics } }
    ) { count in
        let pool = try await warmPool()
        for _ in 0..<count { try await pool.withConnection { _ in } }
    }
]

@ReactorActor
private func warmPool() async throws -> PostgresPool {
    if let pool { return pool }
    let made = PostgresPool(try Setting.database, .init(label: "bench", maximum: 4))
    _ = try await made.execute("SELECT 1")
    pool = made
    return made
}
