import Postgres
import PostgresValues
import ReactorCore

/// Runs the steps of a plan, one after the other, while the lock is held.
@ReactorActor
final class MigrationRunner {
    /// Where migrations run.
    let connection: PostgresConnection
    /// The lock, and the session that keeps the books of `transaction:false` migrations: it commits at once, and no
    /// `set role` of a migration reaches it.
    let lock: MigrationLock
    let options: Migrator.Options
    let onEvent: @ReactorActor (MigrationEvent) -> Void

    init(
        connection: PostgresConnection, lock: MigrationLock, options: Migrator.Options,
        onEvent: @escaping @ReactorActor (MigrationEvent) -> Void
    ) {
        self.connection = connection
        self.lock = lock
        self.options = options
        self.onEvent = onEvent
    }

    /// Runs one step. When it returns, the step is committed.
    ///
    /// - Throws: `MigrationError` `.rolledBack` and `.partlyApplied` with the failure; `CancellationError`, and then
    ///   the step was rolled back, or stands where its row says.
    func run(_ step: MigrationPlan.Step) async throws -> MigrationSummary.Entry {
        // Taken anew for each migration: the one before it ended with `discard all`.
        let isWorking = try await MigrationLock(connection: connection, kind: .work).attempt()
        guard try await lock.isHeld(), isWorking else {
            throw MigrationError(
                .unexpected,
                "this session does not hold the migration lock (any more); connect to the server itself, not to a "
                    + "pooler in transaction mode")
        }
        onEvent(.started(step))
        let started = Reactor.current.now
        if step.section.usesTransaction {
            try await runInTransaction(step)
        } else {
            try await runOneByOne(step)
        }
        let entry = MigrationSummary.Entry(
            file: step.file, direction: step.direction, duration: started.duration(to: Reactor.current.now))
        onEvent(.finished(entry))
        try await MigrationSession.discard(connection)
        return entry
    }

    // MARK: - In a transaction

    private func runInTransaction(_ step: MigrationPlan.Step) async throws {
        try await MigrationSession.prepare(
            connection, applicationName: "migrate:\(step.file.version)",
            tableLockTimeout: options.tableLockTimeout)
        var attempt = 1
        while true {
            let progress = Progress()
            do {
                try await attemptTransaction(step, progress)
                return
            } catch let error as PostgresError {
                if error.sqlState == .lockNotAvailable, attempt < options.attempts {
                    attempt += 1
                    onEvent(.retrying(step, attempt: attempt, reason: error.message))
                    // Whoever queued behind us gets a turn.
                    try await Reactor.current.sleep(for: options.pauseBetweenAttempts)
                    continue
                }
                if progress.isCommitting, error.code == .connectionLost, try await isRecorded(step) { return }
                let number = min(progress.statement, step.section.statements.count - 1)
                let failure = self.failure(
                    of: step, at: number, error,
                    prefix: progress.statement == number
                        ? "" : progress.isCommitting ? "at COMMIT: " : "history: ")
                throw MigrationError(.rolledBack, failure.report(), failure: failure, underlying: error)
            }
        }
    }

    /// How far a transaction has come; a class because the transaction's closure writes it.
    @ReactorActor
    private final class Progress {
        /// The index of the statement that is running; their number when all have run.
        var statement = 0
        var isCommitting = false
    }

    private func attemptTransaction(_ step: MigrationPlan.Step, _ progress: Progress) async throws {
        let started = Reactor.current.now
        try await connection.transaction { transaction in
            let history = MigrationHistory(database: transaction)
            if step.direction == .up { try await history.begin(step.file, state: .applied) }
            for (index, statement) in step.section.statements.enumerated().dropFirst(step.statementsDone) {
                progress.statement = index
                _ = try await transaction.query(SQL(raw: statement.text))
            }
            progress.statement = step.section.statements.count
            // The file may have changed roles; the history is ours.
            _ = try await transaction.query("reset session authorization")
            _ = try await transaction.query("reset role")
            switch step.direction {
            case .up:
                let duration = started.duration(to: Reactor.current.now)
                try await history.finish(step.file, milliseconds: duration.inMilliseconds)
            case .down: try await history.remove(step.file.version)
            }
            progress.isCommitting = true
        }
    }

    /// After a connection that broke at COMMIT: whether the server committed. Asked on the lock's connection, when
    /// the session that was to commit has ended.
    private func isRecorded(_ step: MigrationPlan.Step) async throws -> Bool {
        let work = MigrationLock(connection: lock.connection, kind: .work)
        try await work.acquire(timeout: .seconds(10))
        await work.release()
        let rows = try await MigrationHistory(database: lock.connection).rows()
        let isApplied = rows.contains { $0.version == step.file.version && $0.state == .applied }
        return isApplied == (step.direction == .up)
    }

    // MARK: - Statement by statement

    private func runOneByOne(_ step: MigrationPlan.Step) async throws {
        let statements = step.section.statements
        try await MigrationSession.prepare(
            connection, applicationName: "migrate:\(step.file.version)",
            tableLockTimeout: statements.contains(where: \.runsConcurrently) ? nil : options.tableLockTimeout)
        let books = MigrationHistory(database: lock.connection)
        if step.direction == .up { try await books.begin(step.file, state: .applying) }
        let started = Reactor.current.now
        for (index, statement) in statements.enumerated().dropFirst(step.statementsDone) {
            do {
                if let made = ConcurrentIndex(statement) {
                    let isInterrupted = index == step.statementsDone && step.building == made.name
                    try await build(made, with: statement, of: step, isInterrupted: isInterrupted, books)
                } else {
                    try await runAlone(statement, of: step)
                }
            } catch let error as PostgresError {
                let failure = self.failure(of: step, at: index, error)
                throw MigrationError(.partlyApplied, failure.report(), failure: failure, underlying: error)
            }
            if step.direction == .up { try await books.recordProgress(step.file, statementsDone: index + 1) }
        }
        switch step.direction {
        case .up:
            let duration = started.duration(to: Reactor.current.now)
            try await books.finish(step.file, milliseconds: duration.inMilliseconds)
        case .down: try await books.remove(step.file.version)
        }
    }

    /// One statement that commits on its own; tried again when a table stays locked.
    private func runAlone(_ statement: SQLStatement, of step: MigrationPlan.Step) async throws {
        var attempt = 1
        while true {
            do {
                _ = try await connection.query(SQL(raw: statement.text))
                return
            } catch let error as PostgresError
                where error.sqlState == .lockNotAvailable && attempt < options.attempts
            {
                attempt += 1
                onEvent(.retrying(step, attempt: attempt, reason: error.message))
                try await Reactor.current.sleep(for: options.pauseBetweenAttempts)
            }
        }
    }

    // MARK: - Indexes

    /// Runs a `CREATE INDEX CONCURRENTLY`. Cancelled, it leaves an invalid index; killed with its runner, perhaps a
    /// finished one that nobody recorded. Only what the row says to be ours is dropped or taken for done.
    private func build(
        _ index: ConcurrentIndex, with statement: SQLStatement, of step: MigrationPlan.Step,
        isInterrupted: Bool,
        _ books: MigrationHistory
    ) async throws {
        let found = try await find(index)
        if isInterrupted, let found {
            if found.isValid {
                onEvent(.foundFinishedIndex(found.name))
                return
            }
            _ = try await connection.query("drop index concurrently \(raw: found.name)")
            onEvent(.droppedInvalidIndex(found.name))
        }
        if step.direction == .up, isInterrupted || found == nil {
            try await books.recordBuilding(index.name, by: step.file)
        }
        try await runAlone(statement, of: step)
        // `if not exists` is content with the ruin of an interrupted attempt.
        if let made = try await find(index), !made.isValid {
            throw PostgresError(
                .unexpectedResult,
                "the index \(made.name) exists and is invalid, left by an interrupted CREATE INDEX CONCURRENTLY; run: "
                    + "drop index concurrently \(made.name)")
        }
    }

    /// The index's qualified and quoted name and whether it is valid; nil when it does not exist.
    private func find(_ index: ConcurrentIndex) async throws -> (name: String, isValid: Bool)? {
        let rows = try await connection.query(
            """
            select pg_catalog.format('%I.%I', n.nspname, c.relname), i.indisvalid
            from pg_catalog.pg_index as i
            join pg_catalog.pg_class as c on c.oid = i.indexrelid
            join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
            where c.relname = \(index.name) and i.indrelid = pg_catalog.to_regclass(\(index.table))
            """)
        return try rows.first.map { (try $0.decode(String.self, at: 0), try $0.decode(Bool.self, at: 1)) }
    }

    // MARK: - Failures

    private func failure(
        of step: MigrationPlan.Step, at index: Int, _ error: PostgresError, prefix: String = ""
    ) -> MigrationFailure {
        let statement = step.section.statements[index]
        // A position counts only for the statement itself, not for what the history or COMMIT said.
        let position =
            prefix.isEmpty ? error.position.map { statement.place(ofCharacter: $0) } : nil
        let place = position ?? statement.start
        return MigrationFailure(
            path: step.file.path, direction: step.direction, position: place,
            line: step.file.lines.indices.contains(place.line - 1) ? step.file.lines[place.line - 1] : "",
            statementNumber: index + 1, statementCount: step.section.statements.count,
            sqlState: error.sqlState?.rawValue, message: prefix + error.message, detail: error.detail,
            hint: error.hint, context: error.server?.context, isPartlyApplied: !step.section.usesTransaction)
    }
}
