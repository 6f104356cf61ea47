/// What a run has done. Everything in it is committed.
public struct MigrationSummary: Sendable, CustomStringConvertible {
    /// One migration that ran.
    public struct Entry: Sendable, CustomStringConvertible {
        /// Its file.
        public let file: MigrationFile
        /// Which way it ran.
        public let direction: MigrationPlan.Direction
        /// How long its statements and its commit took.
        public let duration: Duration

        /// `applied 20261121000000_create_clients (12 ms)`.
        public var description: String {
            "\(direction.pastTense) \(file.version)_\(file.name) (\(duration.inMilliseconds) ms)"
        }
    }

    /// Which way the run went.
    public let direction: MigrationPlan.Direction
    /// What ran, in this order.
    public let entries: [Entry]
    /// How many migrations the database has applied after the run.
    public let appliedCount: Int
    /// The whole run's time, the wait for the lock included.
    public let duration: Duration

    /// `2 migrations applied in 31 ms`, or `nothing to do: …`.
    public var description: String {
        guard !entries.isEmpty else {
            let all =
                switch appliedCount {
                case 0: "no migration is applied"
                case 1: "1 migration is applied"
                default: "\(appliedCount) migrations are applied"
                }
            return "nothing to do: \(all)"
                + (direction == .up && appliedCount == 0 ? " and there is none" : "")
        }
        let count = entries.count == 1 ? "1 migration" : "\(entries.count) migrations"
        return "\(count) \(direction.pastTense) in \(duration.inMilliseconds) ms"
    }
}

extension MigrationPlan.Direction {
    /// `applied` or `reverted`.
    var pastTense: String { self == .up ? "applied" : "reverted" }
}

extension Duration {
    /// Whole milliseconds, rounded up so that nothing takes 0 ms.
    var inMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
