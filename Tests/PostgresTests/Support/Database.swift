import Greenlets
import LocalPostgres
import Postgres
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

/// A database of the shared cluster that no other test uses.
struct Database {
    /// Patient, for a busy machine: a server that is given no processor for a second has not failed.
    var configuration: PostgresConfiguration

    init(_ cluster: LocalCluster? = nil) throws {
        let cluster = try cluster ?? LocalCluster.shared()
        configuration = try PostgresConfiguration(try cluster.createDatabase())
        configuration.connectTimeout = .seconds(50)
        configuration.cancelGrace = .seconds(30)
    }

    /// Runs `body` with a connection on a reactor of its own; nothing may be left there.
    func withConnection<Value: Sendable>(
        _ body: @escaping @Sendable @ReactorActor (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await withReactor { _ in
            let connection = try await PostgresConnection.connect(configuration)
            let result: Result<Value, any Error>
            do { result = .success(try await body(connection)) } catch { result = .failure(error) }
            await connection.close()
            return try result.get()
        }
    }

    /// The same with a pool and a connection to watch it by, which is not of the pool. Who names no time to wait for a
    /// connection has more of it than usual.
    func withPool<Value: Sendable>(
        _ options: PostgresPoolOptions = .init(),
        _ body: @escaping @Sendable @ReactorActor (PostgresPool, Watcher) async throws -> Value
    ) async throws -> Value {
        var options = options
        if options.acquireTimeout == PostgresPoolOptions().acquireTimeout {
            options.acquireTimeout = .seconds(50)
        }
        return try await withReactor { [options] _ in
            let pool = PostgresPool(configuration, options)
            let watcher = try await Watcher(configuration)
            let result: Result<Value, any Error>
            do { result = .success(try await body(pool, watcher)) } catch { result = .failure(error) }
            await pool.close(grace: .seconds(1))
            await watcher.connection.close()
            return try result.get()
        }
    }
}

/// Sees a database with the server's eyes, from a connection to another one.
@ReactorActor
final class Watcher {
    let connection: PostgresConnection
    let name: String

    init(_ configuration: PostgresConfiguration) async throws {
        name = configuration.database
        connection = try await PostgresConnection.connect(configuration.withDatabase("postgres"))
    }

    /// How many sessions the database has.
    func sessions() async throws -> Int {
        try await connection.one("SELECT count(*) FROM pg_stat_activity WHERE datname = \(name)")
    }

    /// How many of them run a statement.
    func active() async throws -> Int {
        try await connection.one(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = \(name) AND state = 'active'")
    }

    /// Whether none of them runs a statement any more. An error reaches the client before its session is idle.
    func seesIdleSessions() async throws -> Bool {
        try await eventually { try await active() == 0 }
    }

    /// Whether none runs a statement at the moment when all of the pool's connections but `borrowed` are back in it: one that
    /// still runs must not be given to anybody else.
    func seesAtRest(_ pool: PostgresPool, borrowed: Int = 0) async throws -> Bool {
        guard try await eventually({ pool.statistics.counts.borrowed == borrowed }) else {
            print("not at rest: \(pool.statistics.counts)")
            return false
        }
        let running = try await connection.query(
            """
            SELECT concat_ws(' ', pid, backend_type, wait_event, now() - query_start, now() - state_change, query)
            FROM pg_stat_activity WHERE datname = \(name) AND state = 'active'
            """)
        for row in running { print("not at rest: \(try row.decode(String.self, at: 0))") }
        return running.isEmpty
    }

    /// Ends all of them; returns how many.
    @discardableResult
    func terminateAll() async throws -> Int {
        try await connection.one(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = \(name)")
    }
}

/// Waits until `condition` holds; the bound is generous, for a busy machine.
@ReactorActor
func eventually(
    within limit: Duration = .seconds(30), _ condition: @ReactorActor () async throws -> Bool
) async throws -> Bool {
    let deadline = reactor.now.advanced(by: limit)
    while try await !condition() {
        if reactor.now > deadline { return false }
        try await reactor.sleep(for: .milliseconds(5))
    }
    return true
}

/// The error that `body` throws.
@ReactorActor
func failure(_ body: @ReactorActor () async throws -> Void) async throws -> PostgresError {
    do {
        try await body()
    } catch let error as PostgresError {
        return error
    }
    throw NoFailure()
}

struct NoFailure: Error {}
