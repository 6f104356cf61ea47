import Glibc
import Synchronization

extension LocalCluster {
    /// Creates a database and returns its URL.
    ///
    /// - Parameters:
    ///   - name: nil: a name not used before by this object, `test_1`, `test_2`…
    ///   - template: the database to copy, to which nobody may be connected; nil: an empty one.
    /// - Throws: ``LocalPostgresError``: `commandFailed` when it exists, the template does not or is in use, or the server is
    ///   down; `stopped`.
    public func createDatabase(
        _ name: String? = nil, copying template: String? = nil
    ) throws(LocalPostgresError) -> String {
        let name = if let name { name } else { try unusedDatabaseName() }
        guard isRunning else { throw stoppedError }
        var options: [String] = []
        if let template { options += ["-T", template] }
        // A copy of files takes a third of the time of one through the log, where nothing has to reach the disk.
        if control.home.fate == .remove, (Int(control.binaries.majorVersion) ?? 0) >= 15 {
            options += ["--strategy=file_copy"]
        }
        try run("createdb", options + ["--", name], orThrow: "cannot create the database '\(name)'")
        return url(database: name)
    }

    /// A database of its own for one test, copied from one that is prepared once: schema and data are there in a fraction of
    /// the time of `prepare`.
    ///
    /// ```swift
    /// let url = try await LocalCluster.shared().createDatabase(preparedAs: "shop") { url in
    ///     try await Migrator(directory, url).up()
    /// }
    /// ```
    /// The next copy is made while the caller works with this one, since the files of an empty database alone take
    /// the server some 50 ms: who asks again later than that finds it ready. One copy more is made than is asked for.
    ///
    /// The first call with a name runs `prepare` with the URL of a new database; calls meanwhile wait for it. When it throws, its
    /// callers get the error, and the next call tries again. Connections that it left open are ended.
    ///
    /// - Parameters:
    ///   - name: names what is prepared, for the life of this object.
    ///   - prepare: makes tables and rows; closes its connections.
    /// - Throws: what `prepare` throws; ``LocalPostgresError`` as ``createDatabase(_:copying:)``.
    public func createDatabase(
        preparedAs name: String, _ prepare: @escaping @Sendable (_ url: String) async throws -> Void
    ) async throws -> String {
        let template = try await preparation(name, prepare).value
        // One that could not be made (the server was being restarted) is made here and now.
        if let spare = exchangeSpare(of: template, name), let url = try? await spare.value { return url }
        return try createDatabase(copying: template)
    }

    /// Takes the copy that is ready, or being made, and has the next one made.
    private func exchangeSpare(of template: String, _ name: String) -> Task<String, any Error>? {
        state.withLock { state in
            let spare = state.spares[name]
            // A thread that waits for a program must not be one of the few that tasks share.
            state.spares[name] = Task.detached { [self] in
                try await withCheckedThrowingContinuation { continuation in
                    DetachedThread.run {
                        continuation.resume(
                            with: Result<String, any Error> { try self.createDatabase(copying: template) })
                    }
                }
            }
            return spare
        }
    }

    /// Removes a database, with whoever is connected to it.
    ///
    /// - Throws: ``LocalPostgresError``: `commandFailed` when it does not exist or the server is down; `stopped`.
    public func dropDatabase(_ name: String) throws(LocalPostgresError) {
        guard isRunning else { throw stoppedError }
        try run("dropdb", ["--force", "--", name], orThrow: "cannot drop the database '\(name)'")
    }

    /// The one preparation under that name.
    private func preparation(
        _ name: String, _ prepare: @escaping @Sendable (String) async throws -> Void
    ) throws(LocalPostgresError) -> Task<String, any Error> {
        try state.withLock { (state) throws(LocalPostgresError) in
            guard state.watchdog != nil else { throw stoppedError }
            if let known = state.templates[name] { return known }
            let task = Task.detached { [self] in
                do {
                    let template = try unusedDatabaseName(prefix: "template")
                    try await prepare(try createDatabase(template))
                    // Nobody may be connected to what is copied. A connection that was just closed counts for a moment.
                    try run(
                        "psql",
                        [
                            "-X", "-q", "-c", "ALTER DATABASE \(template) ALLOW_CONNECTIONS false", "-c",
                            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '\(template)'",
                            "postgres",
                        ], orThrow: "cannot close the database '\(template)'")
                    return template
                } catch {
                    self.state.withLock { $0.templates[name] = nil }
                    throw error
                }
            }
            state.templates[name] = task
            return task
        }
    }

    private func unusedDatabaseName(prefix: String = "test") throws(LocalPostgresError) -> String {
        try state.withLock { (state) throws(LocalPostgresError) -> String in
            guard state.watchdog != nil else { throw stoppedError }
            state.databaseCount += 1
            return "\(prefix)_\(state.databaseCount)"
        }
    }

    /// Whether it has not been stopped.
    private var isRunning: Bool { state.withLock { $0.watchdog != nil } }

    /// Runs one of the server's client programs as the superuser.
    private func run(
        _ program: String, _ arguments: [String], orThrow message: String
    ) throws(LocalPostgresError) {
        let place = ["-h", socketDirectory, "-p", "\(ClusterHome.port)", "-U", ClusterHome.superuser, "-w"]
        try control.home.account.command(control.binaries.path(program), place + arguments)
            .runToSuccess(orThrow: message)
    }
}
