import Greenlets
public import Postgres
import ReactorCore

/// Brings a database to the state that a directory of migration files describes.
///
/// ```swift
/// let migrator = Migrator(directory: "Migrations", configuration: try PostgresConfiguration(url))
/// let summary = try await migrator.up { event in logger.info("\(event)") }
/// logger.info("\(summary)")                       // 2 migrations applied in 31 ms
/// ```
/// Any number of processes may do this at once on one database: an advisory lock lets one in, the others wait and then
/// find nothing to do. Every file and its row in `public.migrate_history` are one transaction, unless it says
/// `transaction:false`. Each operation opens two connections and closes them before it returns or throws.
public struct Migrator: Sendable {
    /// How patient a run is.
    public struct Options: Sendable {
        /// How long to wait for another runner. Default 60 s.
        public var lockTimeout: Duration = .seconds(60)
        /// How long a statement waits for a lock on a table before its file is rolled back. Default 5 s.
        public var tableLockTimeout: Duration = .seconds(5)
        /// How often such a file is tried in all. Default 5.
        public var attempts = 5
        /// The pause before it is tried again. Default 1 s.
        public var pauseBetweenAttempts: Duration = .seconds(1)
        /// Refuse pending migrations older than an applied one, instead of warning. Default false.
        public var isStrict = false

        /// The defaults.
        public init() {}
    }

    /// Where the files are.
    public let directory: MigrationDirectory
    /// Where the database is.
    public let configuration: PostgresConfiguration
    /// How patient a run is.
    public let options: Options

    /// A migrator for the files in `directory`; nothing is read or connected yet.
    public init(directory: String, configuration: PostgresConfiguration, options: Options = Options()) {
        self.directory = MigrationDirectory(directory)
        self.configuration = configuration
        self.options = options
    }

    /// Hears what a run does while it goes on. Must not block.
    public typealias Progress = @ReactorActor (MigrationEvent) -> Void

    /// Applies what is pending, oldest first. Parks the calling task.
    ///
    /// Asks whether anything is pending before it takes the lock, and again after.
    ///
    /// - Parameters:
    ///   - target: the newest version to apply; nil applies all.
    ///   - progress: hears what happens, on the reactor.
    /// - Throws: `MigrationError`: `.invalidFile`, `.usage`, `.drift`, `.outOfOrder` before anything runs;
    ///   `.cannotConnect`; `.lockTimeout`; `.rolledBack` and `.partlyApplied` when a statement fails, and then the
    ///   migrations before it stay applied. `CancellationError`: the running migration is rolled back, or for a
    ///   `transaction:false` one its row says how far it came.
    @ReactorActor @discardableResult
    public func up(
        to target: MigrationVersion? = nil, progress: @escaping Progress = { _ in }
    ) async throws -> MigrationSummary {
        try await run(.up, progress) { status throws(MigrationError) in
            try MigrationPlan.up(status, to: target, isStrict: options.isStrict)
        }
    }

    /// Reverts the newest `count` applied migrations, newest first. Parks the calling task.
    ///
    /// - Throws: as `up`, and `.missingFile` and `.irreversible` before anything runs.
    @ReactorActor @discardableResult
    public func down(
        _ count: Int = 1, progress: @escaping Progress = { _ in }
    ) async throws -> MigrationSummary {
        try await run(.down, progress) { status throws(MigrationError) in
            try MigrationPlan.down(status, count: count)
        }
    }

    /// Reverts every applied migration newer than `target`; nil reverts all. Parks the calling task.
    ///
    /// - Throws: as `down(_:progress:)`, and `.usage` when `target` is not applied.
    @ReactorActor @discardableResult
    public func down(
        to target: MigrationVersion?, progress: @escaping Progress = { _ in }
    ) async throws -> MigrationSummary {
        try await run(.down, progress) { status throws(MigrationError) in
            try MigrationPlan.down(status, to: target)
        }
    }

    /// Compares files and history; changes nothing and takes no lock. Parks the calling task.
    ///
    /// - Throws: `MigrationError` `.invalidFile`, `.usage`, `.cannotConnect`, `.unexpected`; `CancellationError`.
    @ReactorActor
    public func status() async throws -> MigrationStatus {
        let files = try await files()
        return try await withConnection { connection in
            try await status(of: files, in: connection)
        }
    }

    // MARK: - Synchronous forms

    /// As the `async` form, for synchronous code in a greenlet; parks the greenlet.
    @discardableResult
    public func up(
        to target: MigrationVersion? = nil, progress: @escaping Progress = { _ in }
    ) throws -> MigrationSummary {
        try Greenlet<Never>.blockingCall { try await up(to: target, progress: progress) }
    }

    /// As the `async` form, for synchronous code in a greenlet; parks the greenlet.
    @discardableResult
    public func down(_ count: Int = 1, progress: @escaping Progress = { _ in }) throws -> MigrationSummary {
        try Greenlet<Never>.blockingCall { try await down(count, progress: progress) }
    }

    /// As the `async` form, for synchronous code in a greenlet; parks the greenlet.
    @discardableResult
    public func down(
        to target: MigrationVersion?, progress: @escaping Progress = { _ in }
    ) throws -> MigrationSummary {
        try Greenlet<Never>.blockingCall { try await down(to: target, progress: progress) }
    }

    /// As the `async` form, for synchronous code in a greenlet; parks the greenlet.
    public func status() throws -> MigrationStatus {
        try Greenlet<Never>.blockingCall { try await status() }
    }

    // MARK: - One run

    @ReactorActor
    private func run(
        _ direction: MigrationPlan.Direction, _ progress: @escaping Progress,
        plan: (MigrationStatus) throws(MigrationError) -> MigrationPlan
    ) async throws -> MigrationSummary {
        let started = Reactor.current.now
        let files = try await files()
        func summary(_ entries: [MigrationSummary.Entry], appliedBefore: Int) -> MigrationSummary {
            MigrationSummary(
                direction: direction, entries: entries,
                appliedCount: appliedBefore + (direction == .up ? entries.count : -entries.count),
                duration: started.duration(to: Reactor.current.now))
        }
        return try await withConnection { connection in
            // Before the lock: a hundred replicas that start with nothing to do must not queue for it.
            let before = try await status(of: files, in: connection)
            let preview = try plan(before)
            if preview.steps.isEmpty {
                for warning in preview.warnings { progress(.warning(warning)) }
                return summary([], appliedBefore: before.applied.count)
            }
            return try await withLock(progress) { lock in
                try await MigrationLock(connection: connection, kind: .work)
                    .acquire(timeout: options.lockTimeout, onEvent: progress)
                try await MigrationHistory(database: connection).createTable()
                // After it: whoever held the lock has probably applied the very same files.
                let status = try await status(of: files, in: connection)
                let plan = try plan(status)
                for warning in plan.warnings { progress(.warning(warning)) }
                let runner = MigrationRunner(
                    connection: connection, lock: lock, options: options, onEvent: progress)
                var entries: [MigrationSummary.Entry] = []
                for step in plan.steps { entries.append(try await runner.run(step)) }
                return summary(entries, appliedBefore: status.applied.count)
            }
        }
    }

    @ReactorActor
    private func files() async throws -> [MigrationFile] {
        let directory = directory
        return try await Reactor.current.threadPool.run { try directory.migrations() }
    }

    @ReactorActor
    private func status(of files: [MigrationFile], in connection: PostgresConnection) async throws
        -> MigrationStatus
    {
        MigrationStatus(files: files, applied: try await MigrationHistory(database: connection).rows())
    }

    /// Runs `body` with a connection of its own; an error of the database that `body` does not explain itself becomes
    /// `.unexpected`.
    @ReactorActor
    private func withConnection<Value: Sendable>(
        _ body: @ReactorActor (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await MigrationSession.connect(configuration)
        do {
            let value = try await body(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            if let error = error as? PostgresError {
                throw MigrationError(.unexpected, error.description, underlying: error)
            }
            throw error
        }
    }

    @ReactorActor
    private func withLock<Value: Sendable>(
        _ progress: Progress, _ body: @ReactorActor (MigrationLock) async throws -> Value
    ) async throws -> Value {
        try await withConnection { connection in
            try await MigrationSession.prepare(
                connection, applicationName: "migrate", tableLockTimeout: options.tableLockTimeout)
            let lock = MigrationLock(connection: connection, kind: .turn)
            try await lock.acquire(timeout: options.lockTimeout, onEvent: progress)
            do {
                let value = try await body(lock)
                await lock.release()
                return value
            } catch {
                await lock.release()
                throw error
            }
        }
    }
}
