import Greenlets
import PostgresValues
import ReactorCore

/// How far the primary's log goes, asked once for all replicas: what a replica must have replayed to be behind in nothing.
@ReactorActor
final class PrimaryPosition {
    /// A position in the log, and a moment at which it went no further.
    struct Mark: Sendable {
        /// As `pg_lsn` writes it.
        var position: String
        var time: ReactorInstant
    }

    private let pool: PostgresPool
    private var asked: ReactorInstant?
    private var check: Task<Mark?, Never>?

    nonisolated init(_ pool: PostgresPool) { self.pool = pool }

    /// The position, at most `interval` old; nil when the primary does not say within that time.
    func mark(within interval: Duration) async -> Mark? {
        let now = Reactor.current.now
        if check == nil || asked.map({ $0.advanced(by: interval) <= now }) ?? true {
            asked = now
            check = Reactor.current.startTask { [self] in await ask(within: interval) }
        }
        return await check?.value
    }

    private func ask(within limit: Duration) async -> Mark? {
        let time = Reactor.current.now
        let position: String?? = try? await withTimeout(limit) {
            try await pool.outsideTransaction {
                try await pool.query(Self.position)[0].decode(String?.self, at: 0)
            }
        }
        return position.flatMap(\.self).map { Mark(position: $0, time: time) }
    }

    /// NULL from a server that is no primary.
    private static let position: SQL = """
        SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn() END::text
        """
}
