import Postgres
import PostgresValues
import ReactorCore

/// The table in which a database remembers its migrations: `public.migrate_history`.
///
/// The name is none of the peers' (`schema_migrations` belongs to Rails, dbmate, golang-migrate and Ecto, each with
/// other columns): `create table if not exists` would take a foreign table for ours. It is always written with its
/// schema, because migrations set `search_path`, and pg_dump's output sets it to nothing.
@ReactorActor
struct MigrationHistory {
    let database: any PostgresDatabase

    /// The rows, oldest version first; none when the table does not exist yet.
    func rows() async throws -> [AppliedMigration] {
        guard try await exists() else { return [] }
        let result = try await database.query(
            """
            select version, name, checksum, to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), ms,
                   state, statements_done, applied_by, building
            from public.migrate_history order by version
            """)
        return try result.map { row in
            let number = try row.decode(Int64.self, at: 0)
            let state = try row.decode(String.self, at: 5)
            guard let version = MigrationVersion(number: number),
                let state = AppliedMigration.State(rawValue: state)
            else {
                throw MigrationError(
                    .unexpected,
                    "public.migrate_history has a row that this program did not write: \(number), \(state)")
            }
            return AppliedMigration(
                version: version, name: try row.decode(String.self, at: 1),
                checksum: MigrationChecksum(stored: try row.decode(String.self, at: 2)),
                appliedAt: try row.decode(String.self, at: 3),
                milliseconds: try row.decode(Int64.self, at: 4),
                state: state, statementsDone: Int(try row.decode(Int32.self, at: 6)),
                appliedBy: try row.decode(String.self, at: 7),
                building: try row.decode(String?.self, at: 8))
        }
    }

    private func exists() async throws -> Bool {
        // to_regclass() would need the privilege of using the schema only to say that there is nothing.
        let result = try await database.query(
            """
            select exists (select from pg_catalog.pg_class as c
                           join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
                           where n.nspname = 'public' and c.relname = 'migrate_history')
            """)
        return try result.first?.decode(Bool.self, at: 0) ?? false
    }

    /// Creates the table unless it exists. The caller holds the lock: two at once would collide in the catalog.
    func createTable() async throws {
        guard try await !exists() else { return }
        _ = try await database.query(
            """
            create table public.migrate_history (
                version bigint primary key,
                name text not null,
                checksum text not null,
                applied_at timestamptz not null default clock_timestamp(),
                ms bigint not null default 0,
                state text not null check (state in ('applied', 'applying')),
                statements_done int not null,
                building text,
                applied_by text not null default session_user,
                tool text not null default 'migrate 1'
            )
            """)
        _ = try await database.query(
            "comment on table public.migrate_history is 'written by the migrate tool; one row a migration'")
    }

    /// Writes the row of a migration that begins, or finds the one of an interrupted run.
    ///
    /// In a transaction this comes first: should another runner have slipped past the lock, the primary key makes
    /// this one wait for it here and then stop, before it has done anything.
    ///
    /// - Throws: `MigrationError` `.unexpected` when the migration is applied already.
    func begin(_ file: MigrationFile, state: AppliedMigration.State) async throws {
        let result = try await database.query(
            """
            insert into public.migrate_history as history (version, name, checksum, state, statements_done)
            values (\(file.version.number), \(file.name), \(file.checksum(ofFirst: 0).description),
                    \(state.rawValue), 0)
            on conflict (version) do update set state = excluded.state where history.state = 'applying'
            """)
        guard result.affectedRows == 1 else {
            throw MigrationError(.unexpected, "\(file.path) has been applied by another runner meanwhile")
        }
    }

    /// Records that the next statement is about to build `index`, which does not exist yet: should the run be
    /// interrupted, an index of this name is its own work.
    func recordBuilding(_ index: String, by file: MigrationFile) async throws {
        _ = try await database.query(
            """
            update public.migrate_history set building = \(index), applied_at = clock_timestamp()
            where version = \(file.version.number)
            """)
    }

    /// Records that the first `count` statements of a `transaction:false` migration are committed.
    func recordProgress(_ file: MigrationFile, statementsDone count: Int) async throws {
        _ = try await database.query(
            """
            update public.migrate_history
            set statements_done = \(Int32(count)), checksum = \(file.checksum(ofFirst: count).description),
                building = null, applied_at = clock_timestamp()
            where version = \(file.version.number)
            """)
    }

    /// Completes the row of a migration whose statements have all run.
    func finish(_ file: MigrationFile, milliseconds: Int64) async throws {
        _ = try await database.query(
            """
            update public.migrate_history
            set state = 'applied', name = \(file.name), checksum = \(file.checksum.description),
                statements_done = \(Int32(file.up.statements.count)), ms = ms + \(milliseconds),
                applied_at = clock_timestamp()
            where version = \(file.version.number)
            """)
    }

    /// Removes the row of a migration that has been reverted.
    func remove(_ version: MigrationVersion) async throws {
        _ = try await database.query("delete from public.migrate_history where version = \(version.number)")
    }
}
