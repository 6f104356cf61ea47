import Glibc

/// The directory of one cluster: data, socket, log and locks.
///
/// Three lock files say who is alive; the kernel keeps them honest through any kind of death:
/// - `lifecycle.lock`, exclusive, during each start and stop;
/// - `users.lock`, shared, by each process that uses the cluster and by its watchdog: the last to leave stops
///   the server;
/// - `processes.lock`, shared, inherited as descriptor 3 by the server, its backends and `initdb`: whoever
///   gets it exclusively knows that no process of the cluster is left.
struct ClusterHome: Sendable {
    /// What becomes of the directory after the last user left.
    enum Fate: String, Sendable {
        case keep
        case remove
    }

    let path: String
    let socketDirectory: String
    let account: ServerAccount
    let fate: Fate

    var dataDirectory: String { "\(path)/data" }
    /// `initdb` works here; a rename makes it `data`, so that an interrupted one never looks finished.
    var unfinishedDataDirectory: String { "\(path)/data.new" }
    var logFile: String { "\(path)/server.log" }
    var lifecycleLock: String { "\(path)/lifecycle.lock" }
    var usersLock: String { "\(path)/users.lock" }
    var processesLock: String { "\(path)/processes.lock" }

    /// Always this port: it is part of the socket's name, and a `PGPORT` of the user must not change it.
    static let port = 5432
    /// Superuser of every private cluster, whatever account runs it.
    static let superuser = "postgres"

    /// What the server wrote into postmaster.pid; nil when there is no such file.
    var postmaster: (processID: pid_t, isReady: Bool)? {
        let lines = FileSystem.lines("\(dataDirectory)/postmaster.pid")
        guard let processID = lines.first.flatMap({ pid_t($0) }), processID > 0 else { return nil }
        return (processID, lines.count > 7 && lines[7].hasPrefix("ready"))
    }

    /// Major version that wrote the data; nil when there is no data yet.
    var dataVersion: String? { FileSystem.lines("\(dataDirectory)/PG_VERSION").first.map { String($0) } }
}

extension ClusterHome {
    /// Excludes every other start and stop of this cluster, waiting for one under way.
    func lockLifecycle() throws(LocalPostgresError) -> FileLock {
        try FileLock.acquire(lifecycleLock, .exclusive, owner: account, seconds: 120)
    }
}
