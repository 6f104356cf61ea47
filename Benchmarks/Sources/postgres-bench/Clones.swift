import LocalPostgres
import Measuring
import Postgres
import ReactorCore

/// How long a test waits for its copy of a prepared database: the median of twenty, in milliseconds. Between two copies passes
/// what a short test takes.
let cloneBenchmarks = [
    Benchmark("clone") {
        let cluster = try LocalCluster.temporary()
        defer { cluster.stop(mode: .immediate) }
        let reactor = Reactor.current
        var waits: [Double] = []
        for _ in 0...20 {
            let start = reactor.now
            let url = try await cluster.createDatabase(preparedAs: "clone", fill)
            waits.append(start.duration(to: reactor.now) / .milliseconds(1))
            let connection = try await PostgresConnection.connect(PostgresConfiguration(url))
            let count = try await connection.one(Int.self, "SELECT count(*) FROM film")
            precondition(count == 1000, "\(count) rows were copied")
            await connection.close()
            try await reactor.sleep(for: .milliseconds(200))
        }
        // The first has made what is copied.
        return waits.dropFirst().sorted()[10]
    }
]

/// Tables, keys and rows like those of a small program. Not on the reactor, which goes on.
@concurrent @Sendable
private func fill(_ url: String) async throws {
    try await Task { @ReactorActor in
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url))
        for number in 0..<20 {
            try await connection.script(
                "CREATE TABLE part_\(number) (id bigserial PRIMARY KEY, name text UNIQUE, size int)")
        }
        try await connection.script(
            """
            CREATE TABLE film (id bigserial PRIMARY KEY, title text NOT NULL, length int);
            CREATE INDEX ON film (title);
            INSERT INTO film (title, length) SELECT 'film ' || n, n FROM generate_series(1, 1000) AS n
            """)
        await connection.close()
    }.value
}
