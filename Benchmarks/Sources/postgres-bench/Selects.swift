import Greenlets
import Measuring
import Postgres
import ReactorCore

/// Point selects by primary key, as `pgbench -S` does them, per second.
let selectBenchmarks = [
    Benchmark("select-16-connections") { try await selects(greenlets: 64, maximum: 16) },
    Benchmark("select-automatic") {
        let options = PostgresPoolOptions(label: "bench", maximum: 16, mode: .automatic)
        return try await selects(greenlets: 64, maximum: 16, options)
    },
    Benchmark("select-16-connections-fibers") { try await fiberSelects(greenlets: 64, maximum: 16) },
    Benchmark("select-multiplexed") {
        let options = PostgresPoolOptions(label: "bench", maximum: 4, mode: .multiplexed(connections: 4))
        return try await selects(greenlets: 64, maximum: 4, options)
    },
    Benchmark("select-1-connection") { try await selects(greenlets: 1, maximum: 1) },
]

/// Numbers in a row that looks random, as cheap as pgbench's own.
@ReactorActor private var lastID: UInt64 = 1

@ReactorActor
private func nextID() -> Int32 {
    lastID = lastID &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int32((lastID >> 33) % UInt64(Setting.accounts)) + 1
}

/// The statement and its one value, as a program that looks up accounts would write it.
@ReactorActor
func balance(_ pool: PostgresPool) async throws -> Int32 {
    try await pool.one("SELECT abalance FROM pgbench_accounts WHERE aid = \(nextID())")
}

@ReactorActor
private func selects(
    greenlets: Int, maximum: Int, _ options: PostgresPoolOptions? = nil
) async throws -> Double {
    try await rate(maximum, options: options) { pool, isOver in
        (0..<greenlets).map { _ in
            Greenlet.spawn { () async throws in
                var count = 0
                while !isOver() {
                    _ = try await balance(pool)
                    count += 1
                }
                return count
            }
        }
    }
}

/// The same in code that looks blocking.
@ReactorActor
private func fiberSelects(greenlets: Int, maximum: Int) async throws -> Double {
    try await rate(maximum) { pool, isOver in
        (0..<greenlets).map { _ in
            Greenlet.spawn {
                var count = 0
                while !isOver() {
                    let _: Int32 = try pool.one(
                        "SELECT abalance FROM pgbench_accounts WHERE aid = \(nextID())")
                    count += 1
                }
                return count
            }
        }
    }
}

/// Statements a second that the greenlets do together, after a warm-up of a tenth of the time.
@ReactorActor
func rate(
    _ maximum: Int, options: PostgresPoolOptions? = nil,
    _ spawn: @ReactorActor (PostgresPool, @escaping @ReactorActor () -> Bool) -> [Greenlet<Int>]
) async throws -> Double {
    let pool = PostgresPool(try Setting.database, options ?? .init(label: "bench", maximum: maximum))
    // Connections and prepared statements are there before the time counts.
    let warm = reactor.now.advanced(by: Setting.duration / 10)
    for greenlet in spawn(pool, { reactor.now > warm }) { _ = try await greenlet.get() }

    let start = reactor.now
    let end = start.advanced(by: Setting.duration)
    let greenlets = spawn(pool) { reactor.now > end }
    var total = 0
    for greenlet in greenlets { total += try await greenlet.get() }
    let elapsed = start.duration(to: reactor.now)
    await pool.close()
    return Double(total) / (elapsed / .seconds(1))
}
