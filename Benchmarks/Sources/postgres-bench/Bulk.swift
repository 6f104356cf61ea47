import Glibc
import Measuring
import Postgres
import ReactorCore

/// A million rows of four columns, out and in.
let bulkBenchmarks = [
    Benchmark("stream") { try await streamed().perSecond },
    Benchmark("stream-cpu") { try await streamed().nanoseconds },
    Benchmark("copy-in") {
        try await withPool { pool in
            try await pool.execute(
                "CREATE UNLOGGED TABLE IF NOT EXISTS bench_copy (a int, b int, c float8, d text)")
            try await pool.execute("TRUNCATE bench_copy")
            let start = reactor.now
            let rows = (0..<Int32(Setting.accounts)).lazy.map { ($0, $0 % 100, Double($0) / 3, "row \($0)") }
            let count = try await pool.copyIn(
                into: "bench_copy", columns: ["a", "b", "c", "d"], format: .binary, rows: rows)
            precondition(count == Setting.accounts, "\(count) rows were copied")
            return Double(count) / (start.duration(to: reactor.now) / .seconds(1))
        }
    },
]

/// A row as a program would keep it.
private struct Account {
    let id: Int32
    let branch: Int32
    let balance: Int32
    let filler: String
}

@ReactorActor
private func streamed() async throws -> (perSecond: Double, nanoseconds: Double) {
    try await withPool { pool in
        _ = try await pool.execute("SELECT 1")  // connects, as the C loop has before its clock starts
        let (start, cpu) = (reactor.now, processorTime())
        var count = 0
        var sum = 0
        try await pool.forEachRow("SELECT aid, bid, abalance, filler FROM pgbench_accounts") { row in
            var cell = row.cursor()
            let account = Account(
                id: try cell.next(Int32.self), branch: try cell.next(Int32.self),
                balance: try cell.next(Int32.self), filler: try cell.next(String.self))
            count += 1
            sum &+=
                Int(account.id) &+ Int(account.branch) &+ Int(account.balance) &+ account.filler.utf8.count
        }
        precondition(count == Setting.accounts && sum != 0, "\(count) rows came")
        return (
            Double(count) / (start.duration(to: reactor.now) / .seconds(1)),
            Double(processorTime() - cpu) / Double(count)
        )
    }
}

@ReactorActor
private func withPool<T: Sendable>(_ body: @ReactorActor (PostgresPool) async throws -> T) async throws -> T {
    let pool = PostgresPool(try Setting.database, .init(label: "bench", maximum: 2))
    let value = try await body(pool)
    await pool.close()
    return value
}

/// Nanoseconds that the process has spent on processors.
private func processorTime() -> Int64 {
    var value = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &value)
    return Int64(value.tv_sec) * 1_000_000_000 + Int64(value.tv_nsec)
}
