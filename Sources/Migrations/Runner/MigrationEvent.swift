/// What a run tells while it goes on; `description` is a line for people.
public enum MigrationEvent: Sendable, CustomStringConvertible {
    /// Something worth knowing that is no error: a migration out of order, a missing file.
    case warning(String)
    /// Another runner holds the lock; the run waits for it. Sent once for each holder.
    case waitingForLock(MigrationLockHolder)
    /// A migration is about to run.
    case started(MigrationPlan.Step)
    /// A table stayed locked by someone else for too long; the migration was rolled back and runs once more.
    case retrying(MigrationPlan.Step, attempt: Int, reason: String)
    /// An invalid index that an interrupted `CREATE INDEX CONCURRENTLY` of this migration left has been dropped.
    case droppedInvalidIndex(String)
    /// An interrupted `CREATE INDEX CONCURRENTLY` of this migration turned out to be done; it is not repeated.
    case foundFinishedIndex(String)
    /// A migration has been committed.
    case finished(MigrationSummary.Entry)

    /// One line.
    public var description: String {
        switch self {
        case .warning(let text): "warning: \(text)"
        case .waitingForLock(let holder): "waiting for the migration lock held by \(holder)"
        case .started(let step):
            step.statementsDone == 0
                ? "\(step.direction == .up ? "applying" : "reverting") \(step.file.path)"
                : "resuming \(step.file.path) after \(step.statementsDone) of \(step.section.statements.count) "
                    + "statements"
        case .retrying(let step, let attempt, let reason):
            "\(step.file.path): \(reason); rolled back, trying again (attempt \(attempt))"
        case .droppedInvalidIndex(let name): "dropped the invalid index \(name) that an interrupted run left"
        case .foundFinishedIndex(let name): "the index \(name) of an interrupted run is done already"
        case .finished(let entry): "\(entry)"
        }
    }
}
