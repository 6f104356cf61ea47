import Greenlets
import LocalPostgres
import Migrations
import Postgres
import PostgresValues
import ReactorCore
import ReactorTesting

/// A database and a directory of migrations for one test.
final class MigratorFixture: Sendable {
    let directory: TemporaryDirectory
    let configuration: PostgresConfiguration

    init() throws {
        directory = try TemporaryDirectory()
        configuration = try PostgresConfiguration(try LocalCluster.shared().createDatabase(nil))
    }

    func write(_ number: Int, _ name: String, _ text: String) throws {
        try directory.write("\(20_260_101_000_000 + number)_\(name).sql", text)
    }

    /// A migrator that is quick to give up.
    func migrator(_ change: (inout Migrator.Options) -> Void = { _ in }) -> Migrator {
        var options = Migrator.Options()
        options.pauseBetweenAttempts = .milliseconds(1)
        change(&options)
        return Migrator(directory: directory.path, configuration: configuration, options: options)
    }

    /// Runs `body` on a reactor, with the fixture and a connection to look into the database.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable @ReactorActor (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await withReactor { [configuration] _ in
            let connection = try await PostgresConnection.connect(configuration)
            do {
                let value = try await body(connection)
                await connection.close()
                return value
            } catch {
                await connection.close()
                throw error
            }
        }
    }
}

extension PostgresConnection {
    /// The first column of all rows, as text.
    func texts(_ sql: SQL) async throws -> [String] {
        try await query(sql).map { try $0.decode(String.self, at: 0) }
    }

    /// The rows of the history, `version state statements_done`.
    func history() async throws -> [String] {
        try await texts(
            """
            select format('%s %s %s', version - 20260101000000, state, statements_done)
            from public.migrate_history order by version
            """)
    }

    /// The tables and indexes of the schema public, without the history's.
    func relations() async throws -> [String] {
        try await texts(
            """
            select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'i')
              and relname not like 'migrate_history%' order by relname
            """)
    }
}

/// Collects what a run tells.
@ReactorActor
final class EventLog {
    private(set) var events: [MigrationEvent] = []

    var descriptions: [String] { events.map(\.description) }

    func add(_ event: MigrationEvent) { events.append(event) }
}
