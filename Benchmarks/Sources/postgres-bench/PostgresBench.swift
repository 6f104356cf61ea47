import ArgumentParser
import Glibc
import LocalPostgres
import Measuring
import Postgres
import ReactorCore

/// What the pool and its connections cost. DATABASE_URL names a database that `pgbench -i` has filled.
@main
struct PostgresBench: MeasuringProgram {
    static let configuration = CommandConfiguration(
        commandName: "postgres-bench",
        abstract: "Prints what PostgreSQL costs through the pool: per second, nanoseconds or milliseconds.")

    @OptionGroup var options: MeasuringOptions
    @Flag(help: "Start a server, print its URL, and stop it when standard input ends.") var serve = false

    static let benchmarks =
        selectBenchmarks + poolBenchmarks + bulkBenchmarks + latenessBenchmarks
        + cloneBenchmarks

    func run() throws {
        guard serve else { return try measure() }
        let cluster = try LocalCluster.temporary(settings: [
            "shared_buffers": "256MB", "max_connections": "1300", "autovacuum": "off",
        ])
        print(cluster.url)
        fflush(nil)
        while readLine() != nil {}
        cluster.stop(mode: .immediate)
    }
}

/// What the environment says about the runs.
enum Setting {
    /// The database that is measured.
    static var database: PostgresConfiguration {
        get throws {
            guard let url = getenv("DATABASE_URL") else {
                throw ValidationError("DATABASE_URL has to name a database that pgbench -i has filled")
            }
            return try PostgresConfiguration(String(cString: url))
        }
    }

    /// How long each rate is taken.
    static var duration: Duration {
        let seconds = getenv("BENCH_SECONDS").flatMap { Double(String(cString: $0)) } ?? 3
        return .milliseconds(Int(seconds * 1000))
    }

    /// Rows of pgbench_accounts.
    static let accounts = 1_000_000
}
