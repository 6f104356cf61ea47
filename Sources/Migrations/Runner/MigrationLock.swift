import Postgres
import PostgresValues
import ReactorCore

/// One of the two advisory locks by which runners keep out of each other's way.
///
/// `turn` lets one runner at a time into a database. It is polled, never waited for: a session that waits in
/// `pg_advisory_lock` holds a snapshot, `CREATE INDEX CONCURRENTLY` in the other runner waits for that snapshot, and
/// the two deadlock (40P01). For the same reason it has a connection of its own, which is idle outside any
/// transaction while migrations run.
///
/// `work` is held by the session in which migrations run. When a runner is killed, its idle session ends at once, but
/// the server goes on with the statement for up to a second; the next runner has the turn by then and must not look
/// at a database that still changes.
@ReactorActor
struct MigrationLock {
    /// Which of the two. Advisory locks belong to one database, so every database has its own.
    enum Kind: Int64 {
        /// "migrate" in ASCII.
        case turn = 0x6d_6967_7261_7465
        /// The number after it.
        case work = 0x6d_6967_7261_7466
    }

    let connection: PostgresConnection
    let kind: Kind

    private var key: Int64 { kind.rawValue }

    /// Takes the lock, trying every 200 ms for `timeout`.
    ///
    /// - Throws: `MigrationError` `.lockTimeout`, naming the holder.
    func acquire(
        timeout: Duration, onEvent: @ReactorActor (MigrationEvent) -> Void = { _ in }
    ) async throws {
        let reactor = Reactor.current
        let deadline = reactor.now.advanced(by: timeout)
        var reported: MigrationLockHolder?
        while try await !attempt() {
            let holder = try await holder()
            if let holder, holder != reported {
                onEvent(.waitingForLock(holder))
                reported = holder
            }
            guard reactor.now < deadline else {
                throw MigrationError(
                    .lockTimeout,
                    "the migration lock is held by \(holder.map { "\($0)" } ?? "a session that has just ended"); "
                        + "gave up after \(timeout.inMilliseconds) ms (--lock-timeout)")
            }
            try await reactor.sleep(for: min(.milliseconds(200), reactor.now.duration(to: deadline)))
        }
    }

    /// Whether this session has the lock, asked of the server.
    ///
    /// It has not when the connection goes through a pooler in transaction mode, where the next statement is
    /// another session's.
    func isHeld() async throws -> Bool {
        let rows = try await connection.query(
            """
            select exists (select from pg_catalog.pg_locks
                           where locktype = 'advisory' and pid = pg_backend_pid() and granted
                             and classid = \(upper) and objid = \(lower) and objsubid = 1)
            """)
        return try rows.first?.decode(Bool.self, at: 0) ?? false
    }

    /// Gives the lock back; when the connection is gone, the server has done so.
    func release() async {
        _ = try? await connection.query("select pg_catalog.pg_advisory_unlock(\(key))")
    }

    /// Takes the lock if it is free; says whether this session has it. Waits for no one.
    func attempt() async throws -> Bool {
        let rows = try await connection.query("select pg_catalog.pg_try_advisory_lock(\(key))")
        return try rows.first?.decode(Bool.self, at: 0) ?? false
    }

    private func holder() async throws -> MigrationLockHolder? {
        let rows = try await connection.query(
            """
            select l.pid, coalesce(a.application_name, ''), coalesce(a.usename::text, ''),
                   coalesce(to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')
            from pg_catalog.pg_locks as l left join pg_catalog.pg_stat_activity as a on a.pid = l.pid
            where l.locktype = 'advisory' and l.granted and l.objsubid = 1
              and l.classid = \(upper) and l.objid = \(lower)
              and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
            """)
        return try rows.first.map { row in
            MigrationLockHolder(
                pid: try row.decode(Int32.self, at: 0), application: try row.decode(String.self, at: 1),
                user: try row.decode(String.self, at: 2), since: try row.decode(String.self, at: 3))
        }
    }

    /// pg_locks shows a 64-bit key as two OIDs; as numbers in text they need no type of their own.
    private var upper: SQL { SQL(raw: "\(key >> 32)") }
    private var lower: SQL { SQL(raw: "\(key & 0xffff_ffff)") }
}
