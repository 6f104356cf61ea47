import Postgres
import PostgresValues
import ReactorCore

/// How sessions that migrate are set up.
@ReactorActor
enum MigrationSession {
    /// Connects.
    ///
    /// - Throws: `MigrationError` `.cannotConnect`; `CancellationError`.
    static func connect(_ configuration: PostgresConfiguration) async throws -> PostgresConnection {
        var configuration = configuration
        // Nothing runs twice here, and a cached plan would outlive the table that it was made for.
        configuration.statementCacheSize = 0
        if configuration["application_name"] == nil { configuration["application_name"] = "migrate" }
        do {
            return try await PostgresConnection.connect(configuration)
        } catch let error as PostgresError {
            throw MigrationError(.cannotConnect, error.description, underlying: error)
        }
    }

    /// Sets the session up for one migration.
    ///
    /// - `client_connection_check_interval`: otherwise a server goes on with the statement, and even commits, after
    ///   its client was killed;
    /// - `lock_timeout`: a statement that queues for a lock makes everybody behind it queue as well;
    /// - no `statement_timeout`, and none for an idle session: migrations may be long, and the lock's session idles.
    ///
    /// - Parameter tableLockTimeout: nil waits for ever, which `CREATE INDEX CONCURRENTLY` needs: it waits for all
    ///   older transactions, and giving up leaves an invalid index.
    static func prepare(
        _ connection: PostgresConnection, applicationName: String, tableLockTimeout: Duration?
    ) async throws {
        let lockTimeout = "\(tableLockTimeout?.inMilliseconds ?? 0)ms"
        _ = try await connection.query(
            """
            select pg_catalog.set_config(setting.name, wanted.value, false)
            from (values ('lock_timeout', \(lockTimeout)), ('application_name', \(applicationName)),
                         ('statement_timeout', '0'), ('idle_session_timeout', '0'),
                         ('idle_in_transaction_session_timeout', '60s')) as wanted (name, value)
            join pg_catalog.pg_settings as setting on setting.name = wanted.name
            """)
        do {
            _ = try await connection.query(
                """
                select pg_catalog.set_config(name, '1s', false) from pg_catalog.pg_settings
                where name = 'client_connection_check_interval'
                """)
        } catch let error as PostgresError where error.code == .server {
            // The parameter exists since PostgreSQL 14, but not every platform can set it.
        }
    }

    /// Makes the session as new: no file sees the settings, roles or temporary tables of the one before it.
    static func discard(_ connection: PostgresConnection) async throws {
        _ = try await connection.query("discard all")
    }
}
