/// One row of the history table.
public struct AppliedMigration: Hashable, Sendable {
    /// How far a migration has come.
    public enum State: String, Hashable, Sendable {
        /// All its statements have been committed.
        case applied
        /// A `transaction:false` migration is running, or stopped half-way.
        case applying
    }

    /// The version of the migration.
    public let version: MigrationVersion
    /// Its name when it was applied; renaming the file afterwards is free.
    public let name: String
    /// Checksum of the statements that have been applied: the first `statementsDone`.
    public let checksum: MigrationChecksum
    /// When it was applied, in UTC: `2026-11-21T09:12:00Z`.
    public let appliedAt: String
    /// How long its statements took, in milliseconds.
    public let milliseconds: Int64
    /// Whether it is complete.
    public let state: State
    /// The number of statements that have been applied.
    public let statementsDone: Int
    /// The database user who applied it.
    public let appliedBy: String
    /// The index that the statement after the last one done builds concurrently, when it had not existed before.
    public let building: String?

    /// A row of the history table.
    public init(
        version: MigrationVersion, name: String, checksum: MigrationChecksum, appliedAt: String,
        milliseconds: Int64,
        state: State, statementsDone: Int, appliedBy: String, building: String? = nil
    ) {
        self.version = version
        self.name = name
        self.checksum = checksum
        self.appliedAt = appliedAt
        self.milliseconds = milliseconds
        self.state = state
        self.statementsDone = statementsDone
        self.appliedBy = appliedBy
        self.building = building
    }
}
