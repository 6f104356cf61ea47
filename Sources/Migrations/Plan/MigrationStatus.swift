/// Files on disk and rows of the history side by side: a pure comparison.
public struct MigrationStatus: Hashable, Sendable {
    /// What there is to say about one version.
    public enum State: String, Hashable, Sendable {
        /// Applied, and the file says what was applied.
        case applied
        /// Not applied.
        case pending
        /// Not applied, although a newer one is.
        case outOfOrder = "out of order"
        /// A `transaction:false` migration that stopped half-way; `up` resumes after the last statement done.
        case partlyApplied = "partly applied"
        /// Applied (or partly), and the statements that were applied have been changed in the file since.
        case drifted
        /// Applied, but there is no file.
        case missingFile = "file missing"

        /// Whether `up` would run it.
        public var isPending: Bool { self == .pending || self == .outOfOrder || self == .partlyApplied }
    }

    /// One version: its file, its row, or both.
    public struct Entry: Hashable, Sendable {
        /// The version.
        public let version: MigrationVersion
        /// The name in the file's name, or the recorded one when the file is missing.
        public let name: String
        /// What there is to say about it.
        public let state: State
        /// The file; nil when it is missing.
        public let file: MigrationFile?
        /// The row; nil when it is pending.
        public let applied: AppliedMigration?
    }

    /// Every version known from either side, oldest first.
    public let entries: [Entry]

    /// Compares `files` with `applied`; neither needs to be sorted.
    ///
    /// - Complexity: O(n log n), and the checksum of each applied file.
    public init(files: [MigrationFile], applied: [AppliedMigration]) {
        let rows = Dictionary(applied.map { ($0.version, $0) }, uniquingKeysWith: { first, _ in first })
        let onDisk = Dictionary(files.map { ($0.version, $0) }, uniquingKeysWith: { first, _ in first })
        let newest = rows.keys.max()
        entries = Set(rows.keys).union(onDisk.keys).sorted().map { version in
            let (file, row) = (onDisk[version], rows[version])
            return Entry(
                version: version, name: file?.name ?? row?.name ?? "",
                state: Self.state(file: file, row: row, isBehind: newest.map { version < $0 } ?? false),
                file: file,
                applied: row)
        }
    }

    private static func state(file: MigrationFile?, row: AppliedMigration?, isBehind: Bool) -> State {
        guard let row else { return isBehind ? .outOfOrder : .pending }
        guard let file else { return .missingFile }
        switch row.state {
        case .applied: return file.checksum == row.checksum ? .applied : .drifted
        case .applying:
            let isUntouched =
                row.statementsDone <= file.up.statements.count
                && file.checksum(ofFirst: row.statementsDone) == row.checksum
            return isUntouched ? .partlyApplied : .drifted
        }
    }

    /// The entries that `up` would run.
    public var pending: [Entry] { entries.filter(\.state.isPending) }

    /// The entries whose row says that they are complete.
    public var applied: [Entry] { entries.filter { $0.applied?.state == .applied } }
}
