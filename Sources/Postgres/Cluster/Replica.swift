import Greenlets
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
    private let primary: PrimaryPosition
    private(set) var state = PostgresReplicaState.unknown
    /// When it was last asked, and when it last answered.
    private var asked: ReactorInstant?
    private var known: ReactorInstant?
    /// The last moment whose every write the replica is known to have.
    private var caughtUp: ReactorInstant?
    private var check: Task<Void, Never>?

    nonisolated init(_ pool: PostgresPool, of primary: PrimaryPosition) {
        self.pool = pool
        self.primary = primary
    }

    /// How many borrowers there are for each connection it may have: the smaller, the sooner a reader is served.
    var load: Double {
        let counts = pool.statistics.counts
        return Double(counts.borrowed + counts.waiting) / Double(max(counts.maximum, 1))
    }

    /// Asks it again when what is known is too old, and calls `answered` when that has come to something. Never waits.
    func refresh(_ options: PostgresClusterOptions, _ answered: @escaping @Sendable @ReactorActor () -> Void)
    {
        let now = Reactor.current.now
        guard check == nil, asked.map({ $0.advanced(by: options.checkInterval) <= now }) ?? true else {
            return
        }
        asked = now
        check = Reactor.current.startTask { [self] in
            await ask(options)
            check = nil
            answered()
        }
    }

    /// Whether it can be read from, by what it has answered since `start` or so lately that it is not too far behind even if
    /// it has stood still since.
    func isCurrent(_ options: PostgresClusterOptions, since start: ReactorInstant) -> Bool {
        guard state.isCurrent, let known else { return false }
        return known >= start || known.advanced(by: options.maximumLag) > Reactor.current.now
    }

    var isBeingAsked: Bool { check != nil }

    /// Whether it is being asked and will probably do: not one that was down or behind, which may be silent for long.
    var isPromising: Bool {
        guard isBeingAsked else { return false }
        return switch state {
        case .unknown, .current: true
        case .stale, .down: false
        }
    }

    /// It failed somebody: not used again before it has answered.
    func fail(_ error: any Error) { state = .down(error) }

    private func ask(_ options: PostgresClusterOptions) async {
        do {
            let mark = await primary.mark(within: options.checkInterval)
            // The wait for a connection included: one that never comes is no answer.
            let seconds: Double = try await withTimeout(options.checkInterval * 5) { [self] in
                try await pool.outsideTransaction {
                    try await pool.query(Self.lag(behind: mark?.position))[0].decode(Double.self, at: 0)
                }
            }
            var lag = Duration.seconds(max(0, seconds))
            let now = Reactor.current.now
            if let mark {
                if lag == .zero { caughtUp = mark.time }
                // Not behind by more than the time since then, however long before it the primary had written nothing.
                if let caughtUp { lag = min(lag, caughtUp.duration(to: now)) }
            }
            known = now
            state = lag <= options.maximumLag ? .current(lag: lag) : .stale(lag: lag)
        } catch {
            known = Reactor.current.now
            state = .down(error)
        }
    }

    /// Seconds that the server is behind: zero when it has replayed what the primary had, however long ago that was written.
    ///
    /// What a primary that does not answer has is not known. Then zero is also the lag of a replica that has replayed all that it
    /// has received, while it does receive. After a start it receives anew what it has replayed before.
    private static func lag(behind position: String?) -> SQL {
        """
        SELECT CASE
            WHEN NOT pg_is_in_recovery() THEN 0
            WHEN \(position)::text IS NOT NULL AND pg_last_wal_replay_lsn() >= \(position)::text::pg_lsn THEN 0
            WHEN \(position)::text IS NULL AND pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn()
                AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 0
            ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 1e9)
        END::float8
        """
    }
}
