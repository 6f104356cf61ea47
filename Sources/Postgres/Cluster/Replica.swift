import PostgresValues
import ReactorCore

/// How a replica stood when it was last asked.
public enum PostgresReplicaState: Sendable {
    /// It has not been asked yet.
    case unknown
    /// It can be read from; so far behind it was.
    case current(lag: Duration)
    /// It is too far behind.
    case stale(lag: Duration)
    /// It could not be asked.
    case down(any Error)

    /// Whether it can be read from.
    var isCurrent: Bool {
        if case .current = self { true } else { false }
    }
}

/// A pool on a replica, and what is known of it.
@ReactorActor
final class Replica {
    let pool: PostgresPool
    private(set) var state = PostgresReplicaState.unknown
    private var asked: ReactorInstant?
    private var check: Task<Void, Never>?

    nonisolated init(_ pool: PostgresPool) { self.pool = pool }

    /// How many borrowers there are for each connection it may have: the smaller, the sooner a reader is served.
    var load: Double {
        let counts = pool.statistics.counts
        return Double(counts.borrowed + counts.waiting) / Double(max(counts.maximum, 1))
    }

    /// Asks it again when what is known is too old; waits for the answer only when nothing is known.
    func refresh(_ options: PostgresClusterOptions) async {
        let now = Reactor.current.now
        if let asked, asked.advanced(by: options.checkInterval) > now { return }
        asked = now
        if check == nil {
            check = Reactor.current.startTask { [self] in
                await ask(options)
                check = nil
            }
        }
        if case .unknown = state { await check?.value }
    }

    /// It failed somebody: not used again before it has answered.
    func fail(_ error: any Error) { state = .down(error) }

    private func ask(_ options: PostgresClusterOptions) async {
        do {
            let seconds: Double = try await pool.outsideTransaction {
                try await pool.query(Self.lag, timeout: options.checkInterval * 5)[0].decode(
                    Double.self, at: 0)
            }
            let lag = Duration.seconds(max(0, seconds))
            state = lag <= options.maximumLag ? .current(lag: lag) : .stale(lag: lag)
        } catch { state = .down(error) }
    }

    /// Seconds that the server is behind. One that has replayed all that it has received is not behind at all, however long ago
    /// the primary last wrote, but only while it does receive. After a start it receives anew what it has replayed before.
    private static let lag: SQL = """
        SELECT CASE
            WHEN NOT pg_is_in_recovery() THEN 0
            WHEN pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn()
                AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 0
            ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 1e9)
        END::float8
        """
}
