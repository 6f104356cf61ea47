import LocalPostgres
import Postgres
import ReactorCore
import ReactorTesting

/// A database of its own on the shared cluster, with the tables of the samples.
struct Database {
    let configuration: PostgresConfiguration

    init() throws {
        configuration = try PostgresConfiguration(try LocalCluster.shared().createDatabase(nil))
    }

    /// Runs `body` with a pool on a reactor of its own; nothing may be left there.
    func withPool<Value: Sendable>(
        _ body: @escaping @Sendable @ReactorActor (PostgresPool) async throws -> Value
    ) async throws -> Value {
        try await withReactor { _ in
            let pool = PostgresPool(configuration)
            let result: Result<Value, any Error>
            do {
                for statement in Self.tables { try await pool.execute(statement) }
                result = .success(try await body(pool))
            } catch {
                result = .failure(error)
            }
            await pool.close(grace: .seconds(1))
            return try result.get()
        }
    }
}
