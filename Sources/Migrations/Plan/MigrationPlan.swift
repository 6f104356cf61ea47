/// What a run will do, decided from a `MigrationStatus` alone: no I/O, no clock.
public struct MigrationPlan: Hashable, Sendable {
    /// Which way a migration runs.
    public enum Direction: String, Hashable, Sendable {
        /// Applies it.
        case up
        /// Reverts it.
        case down
    }

    /// One migration to run.
    public struct Step: Hashable, Sendable {
        /// The migration.
        public let file: MigrationFile
        /// Which way.
        public let direction: Direction
        /// The statements to run; all of the section's, skipped ones included.
        public let section: MigrationFile.Section
        /// How many statements of the section an earlier, interrupted run has committed already.
        public let statementsDone: Int
        /// The index that the interrupted run was building concurrently in the statement after those.
        public let building: String?
    }

    /// The migrations to run, in this order.
    public let steps: [Step]
    /// What the person who asked should know, one sentence each.
    public let warnings: [String]

    /// Everything pending, oldest first; a partly applied migration resumes after its last statement done.
    ///
    /// A pending migration older than an applied one is run, with a warning: two branches that were merged look
    /// like this every day.
    ///
    /// - Parameters:
    ///   - target: the newest version to apply; nil applies all.
    ///   - isStrict: refuse pending migrations that are older than an applied one.
    /// - Throws: `MigrationError` `.drift` when an applied file has changed (also newer than `target`); `.usage`
    ///   when `target` has no file; `.outOfOrder` when strict.
    public static func up(
        _ status: MigrationStatus, to target: MigrationVersion? = nil, isStrict: Bool = false
    ) throws(MigrationError) -> MigrationPlan {
        if let target, !status.entries.contains(where: { $0.version == target && $0.file != nil }) {
            throw MigrationError(.usage, "there is no migration \(target)")
        }
        let drifted = status.entries.filter { $0.state == .drifted }
        guard drifted.isEmpty else { throw driftError(drifted) }
        let late = status.entries.filter { $0.state == .outOfOrder }
        if isStrict, !late.isEmpty {
            throw MigrationError(
                .outOfOrder,
                list(late)
                    + " older than the newest applied migration; make new versions for them, or run without "
                    + "strict order")
        }
        var warnings: [String] = []
        if !late.isEmpty {
            warnings.append("out of order: \(list(late)) older than the newest applied migration")
        }
        let missing = status.entries.filter { $0.state == .missingFile }
        if !missing.isEmpty {
            warnings.append(
                "applied by another version of this program: \(list(missing)) without a file here")
        }
        var steps: [Step] = []
        for entry in status.pending {
            guard let file = entry.file, target.map({ entry.version <= $0 }) ?? true else { continue }
            steps.append(
                Step(
                    file: file, direction: .up, section: file.up,
                    statementsDone: entry.applied?.statementsDone ?? 0,
                    building: entry.applied?.building))
        }
        return MigrationPlan(steps: steps, warnings: warnings)
    }

    /// The newest `count` applied migrations, newest first. Fewer when fewer are applied.
    ///
    /// "Newest" is by version, not by time of application, so that a database that applied a merged branch late
    /// goes back the same way as one that did not. Drift is no obstacle: editing the newest file, then `down` and
    /// `up`, is how one is written.
    ///
    /// - Throws: `MigrationError` `.missingFile`, `.irreversible`, or `.partlyApplied` when one of them is not
    ///   complete.
    public static func down(
        _ status: MigrationStatus, count: Int = 1
    ) throws(MigrationError) -> MigrationPlan {
        try reverting(status.entries.reversed().filter { $0.applied != nil }.prefix(max(0, count)))
    }

    /// Every applied migration newer than `target`, newest first; nil reverts all.
    ///
    /// - Throws: as `down(_:count:)`, and `.usage` when `target` is not applied.
    public static func down(
        _ status: MigrationStatus, to target: MigrationVersion?
    ) throws(MigrationError) -> MigrationPlan {
        if let target, !status.entries.contains(where: { $0.version == target && $0.applied != nil }) {
            throw MigrationError(.usage, "migration \(target) is not applied")
        }
        return try reverting(
            status.entries.reversed().filter { entry in
                entry.applied != nil && (target.map { entry.version > $0 } ?? true)
            }[...])
    }

    private static func reverting(
        _ entries: ArraySlice<MigrationStatus.Entry>
    ) throws(MigrationError) -> MigrationPlan {
        var steps: [Step] = []
        var warnings: [String] = []
        for entry in entries {
            let title = "\(entry.version)_\(entry.name)"
            guard let file = entry.file else {
                throw MigrationError(.missingFile, "cannot revert \(title): its file is missing")
            }
            guard entry.applied?.state == .applied else {
                throw MigrationError(
                    .partlyApplied,
                    "cannot revert \(file.path): it is partly applied; finish it with up first")
            }
            guard let section = file.down else {
                throw MigrationError(
                    .irreversible, "cannot revert \(file.path): it has no statement under \"-- migrate:down\""
                )
            }
            if entry.state == .drifted {
                warnings.append("\(file.path) has changed since it was applied")
            }
            steps.append(
                Step(file: file, direction: .down, section: section, statementsDone: 0, building: nil))
        }
        return MigrationPlan(steps: steps, warnings: warnings)
    }

    private static func driftError(_ drifted: [MigrationStatus.Entry]) -> MigrationError {
        let details = drifted.map { entry in
            let done =
                entry.applied?.state == .applying
                ? " (its first \(entry.applied?.statementsDone ?? 0) statements)" : ""
            return "\(entry.file?.path ?? entry.name): changed since it was applied\(done) at "
                + "\(entry.applied?.appliedAt ?? "an unknown time")"
        }
        return MigrationError(
            .drift,
            details.joined(separator: "\n")
                + "\nrestore what was applied and put the change into a new migration, or revert with down first"
        )
    }

    private static func list(_ entries: [MigrationStatus.Entry]) -> String {
        entries.map { "\($0.version)_\($0.name)" }.joined(separator: ", ")
            + (entries.count == 1 ? " is" : " are")
    }
}
