import Glibc
import Synchronization

/// A private PostgreSQL server: reached through a UNIX socket in a directory of mode 0700, without TCP.
///
/// ```swift
/// let cluster = try LocalCluster.temporary()
/// let url = try cluster.createDatabase()
/// // … connect to url …
/// cluster.stop()
/// ```
///
/// As root, the server runs under the account `postgres`, else `nobody`. It lives until ``stop(mode:)`` or
/// until the process ends, *not* until the last reference goes. When the process is killed, even with
/// SIGKILL, a watchdog process stops the server and removes what was to be thrown away.
///
/// Every operation blocks the calling thread (starting takes about a second for a new cluster, a tenth for an
/// existing one): call from start-up code, tests, or a worker thread, not from a reactor that has others to
/// serve. Any thread.
public final class LocalCluster: Sendable {
    /// What happens to connected clients when the server stops.
    public enum StopMode: String, Sendable {
        /// Transactions are rolled back, clients disconnected, data written out.
        case fast
        /// The server dies at once; the next start recovers from the log, as after a crash.
        case immediate
    }

    struct State {
        var users: FileLock?
        var watchdog: Watchdog?
        var databaseCount = 0
        /// Databases that others are copied from, by what was prepared in them.
        var templates: [String: Task<String, any Error>] = [:]
        /// A copy of each that nobody has yet, or that is being made.
        var spares: [String: Task<String, any Error>] = [:]
    }

    let control: ServerControl
    let state: Mutex<State>

    private init(_ control: ServerControl, _ state: sending State) {
        self.control = control
        self.state = Mutex(state)
    }

    /// Starts the development cluster kept in `directory`, creating it when it is not there.
    ///
    /// Data is kept between runs and written durably. Several processes may use the cluster at once: the
    /// first starts the server, the last to stop stops it. A server that outlived its owner and its watchdog
    /// is taken over when it answers, and stopped and started again when it does not; two servers never run
    /// on the same data. As root, a directory that the server's account cannot enter becomes a link to one in
    /// /var/lib/green-reactor.
    ///
    /// - Parameters:
    ///   - directory: absolute, or relative to the working directory; for example `.postgres`.
    ///   - settings: server settings by name, in effect when this call starts the server.
    /// - Throws: ``LocalPostgresError``: `serverNotInstalled`; `unusableDirectory`; `incompatibleData` when
    ///   another major version wrote the data; `commandFailed` with what `initdb` said; `serverNotStarted`
    ///   with the end of the server's log; `busy` when another process has been starting or stopping the
    ///   cluster for two minutes.
    public static func start(
        in directory: String, settings: [String: String] = [:]
    ) throws(LocalPostgresError) -> LocalCluster {
        let home = try ClusterHome.development(in: directory)
        let binaries = try ServerBinaries.find(majorVersion: home.dataVersion)
        let control = ServerControl(home: home, binaries: binaries, settings: sorted(settings))
        return try open(control) { () throws(LocalPostgresError) in try control.initialise() }
    }

    /// Starts a throw-away cluster under /tmp: fast instead of durable, 200 connections, removed by
    /// ``stop(mode:)``.
    ///
    /// Throw-away clusters that lost their owner and their watchdog (power failure) are removed as well. The
    /// variable `LOCAL_POSTGRES_TMPDIR` names another parent than /tmp; it has to be writable for the
    /// server's account.
    ///
    /// - Parameter settings: server settings by name, over the throw-away ones.
    /// - Throws: ``LocalPostgresError`` as ``start(in:settings:)`` does.
    public static func temporary(settings: [String: String] = [:]) throws(LocalPostgresError) -> LocalCluster
    {
        try temporary(settings: settings, listeningOn: nil, files: [:])
    }

    /// A throw-away cluster that is reached by TCP too, for tests of what only TCP can do.
    ///
    /// - Parameter files: written into the data directory before the start; among them `pg_hba.conf`, or everybody who
    ///   comes by TCP would be trusted.
    package static func temporary(
        listeningOn address: String, files: [String: String], settings: [String: String] = [:]
    ) throws(LocalPostgresError) -> LocalCluster {
        precondition(files["pg_hba.conf"] != nil, "a server that listens needs rules for who may come")
        return try temporary(settings: settings, listeningOn: address, files: files)
    }

    /// A throw-away standby of `primary`, with its settings, for tests of replication: the primary has to run with
    /// `wal_level=replica` and `max_wal_senders` of at least 2.
    package static func standby(of primary: LocalCluster) throws(LocalPostgresError) -> LocalCluster {
        try temporary(
            settings: Dictionary(primary.control.settings) { $1 }, listeningOn: nil, files: [:],
            from: .server(primary.socketDirectory))
    }

    private static func temporary(
        settings: [String: String], listeningOn address: String?, files: [String: String],
        from origin: ServerControl.Origin? = nil
    ) throws(LocalPostgresError) -> LocalCluster {
        let account = try ServerAccount.current()
        let binaries = try ServerBinaries.find()
        for home in ClusterHome.abandoned(of: account) {
            // Not ours to fail by: somebody else's left-over.
            _ = try? ClusterScript.command("discard", home).run(handing: [nil, try ClusterScript.file()])
        }
        let home = try ClusterHome.temporary(for: account)
        let control = ServerControl(
            home: home, binaries: binaries, settings: ServerSettings.throwAway + sorted(settings),
            address: address)
        return try open(control) { () throws(LocalPostgresError) in
            let data =
                if let origin { origin } else {
                    ServerControl.Origin.copy(try ClusterTemplate.data(binaries, account))
                }
            try control.initialise(from: data)
            for (name, contents) in files { try control.write(contents, to: name) }
        }
    }

    /// Directory of the data, the log and the locks.
    public var directory: String { control.home.path }

    /// Directory of the socket: the value for libpq's `host`.
    public var socketDirectory: String { control.home.socketDirectory }

    /// The server's log.
    public var logFile: String { control.home.logFile }

    /// Where the database `postgres`, which every cluster has, is reached.
    public var url: String { url(database: "postgres") }

    /// Where `database` is reached, as superuser and without a password. Says nothing about whether it
    /// exists.
    public func url(database: String) -> String {
        let host = percentEncoded(socketDirectory)
        return "postgresql:///\(percentEncoded(database))?host=\(host)&port=\(ClusterHome.port)"
            + "&user=\(ClusterHome.superuser)"
    }

    /// Process id of the server; nil while none runs, after a kill for example.
    public var serverProcessID: Int32? {
        guard let processID = control.home.postmaster?.processID, isRunning(processID) else { return nil }
        return processID
    }

    /// Process id of the watchdog; nil after `stop()`.
    var watchdogProcessID: pid_t? { state.withLock { $0.watchdog?.processID } }

    /// Stops the server, whatever its state, and starts it again; the URL stays the same.
    ///
    /// Other processes that use the cluster are disconnected as well.
    ///
    /// - Throws: ``LocalPostgresError``: `serverNotStarted`, `busy`, `stopped`; `commandFailed` when the
    ///   server cannot be stopped.
    public func restart(mode: StopMode = .fast) throws(LocalPostgresError) {
        try state.withLock { (state) throws(LocalPostgresError) in
            guard state.watchdog != nil else { throw stoppedError }
            let lifecycle = try control.home.lockLifecycle()
            defer { withExtendedLifetime(lifecycle) {} }
            try control.clear(mode)
            try control.launch()
        }
    }

    /// Stops the server unless another process uses it too, and removes a throw-away cluster. A second call
    /// does nothing. Returns when no process of the server is left; one that does not obey within a minute is
    /// killed.
    public func stop(mode: StopMode = .fast) {
        state.withLock { state in
            guard let watchdog = state.watchdog else { return }
            watchdog.finish(mode)
            state.watchdog = nil
            state.users = nil
        }
        LiveClusters.remove(self)
    }

    /// Uses the server that answers, or clears up, sees to it that there is data, and starts one.
    private static func open(
        _ control: ServerControl, initialise: () throws(LocalPostgresError) -> Void
    ) throws(LocalPostgresError) -> LocalCluster {
        let cluster = try withoutServer(control)
        do throws(LocalPostgresError) {
            try cluster.state.withLock { (state) throws(LocalPostgresError) in
                let lifecycle = try control.home.lockLifecycle()
                defer { withExtendedLifetime(lifecycle) {} }
                if try control.isAnswering() { return }
                try control.clear(.immediate)
                try initialise()
                try control.launch()
            }
        } catch {
            cluster.stop(mode: .immediate)
            throw error
        }
        return cluster
    }

    /// Everything that has to be there before the first process of a server is started: whatever happens from
    /// now on, the end of this process ends the cluster.
    static func withoutServer(_ control: ServerControl) throws(LocalPostgresError) -> LocalCluster {
        let home = control.home
        let lifecycle = try home.lockLifecycle()
        defer { withExtendedLifetime(lifecycle) {} }
        // Held exclusively only by those who hold `lifecycle.lock`, which we do: this does not wait.
        let users = try FileLock.acquire(home.usersLock, .shared, owner: home.account, seconds: 10)
        let watchdog = try Watchdog(home, users: users)
        let cluster = LocalCluster(control, State(users: users, watchdog: watchdog))
        LiveClusters.insert(cluster)
        return cluster
    }

    private static func sorted(_ settings: [String: String]) -> [(String, String)] {
        settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    var stoppedError: LocalPostgresError {
        LocalPostgresError(.stopped, "the cluster in \(directory) was stopped")
    }
}
