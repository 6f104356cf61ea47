import Glibc

/// Starting and asking the server of one home. The caller holds `lifecycle.lock`.
struct ServerControl: Sendable {
    let home: ClusterHome
    let binaries: ServerBinaries
    let settings: [(String, String)]
    /// Where it listens besides its socket.
    var address: String?

    /// How long a start may take; recovery of a large development database is the slow case.
    private static let startSeconds = 120

    /// Whether a server of this home accepts connections.
    func isAnswering() throws(LocalPostgresError) -> Bool {
        guard home.postmaster != nil else { return false }
        let arguments = ["-h", home.socketDirectory, "-p", "\(ClusterHome.port)", "-t", "5", "-q"]
        return try home.account.command(binaries.path("pg_isready"), arguments).run().status == 0
    }

    /// Ends every process of the home, and forgets what killed ones left.
    func clear(_ mode: LocalCluster.StopMode) throws(LocalPostgresError) {
        try ClusterScript.command("clear", home, mode.rawValue).runToSuccess(
            handing: [nil, try ClusterScript.file()], orThrow: "cannot clear up in \(home.path)")
    }

    /// Where the data of a new home come from.
    enum Origin {
        case initdb
        /// A data directory whose server does not run.
        case copy(String)
        /// The server behind a socket directory; the new one becomes its standby.
        case server(String)
    }

    /// Creates the data directory unless it is there, complete.
    func initialise(from origin: Origin = .initdb) throws(LocalPostgresError) {
        if let version = home.dataVersion {
            guard version != binaries.majorVersion else { return }
            throw LocalPostgresError(
                .incompatibleData,
                "\(home.dataDirectory) was written by PostgreSQL \(version), and the server found in "
                    + "\(binaries.directory) is \(binaries.majorVersion). Install postgresql-\(version), or dump the "
                    + "databases with it and remove \(home.path)")
        }
        guard FileSystem.status(home.dataDirectory) == nil else {
            throw LocalPostgresError(
                .unusableDirectory, "\(home.dataDirectory) exists and is not a PostgreSQL data directory")
        }
        let membership = try takeMembership()
        try command(for: origin).runToSuccess(
            handing: [membership.descriptor],
            orThrow: "cannot create the data directory \(home.dataDirectory)")
        guard rename(home.unfinishedDataDirectory, home.dataDirectory) == 0 else {
            throw ErrorNumber.current.error(
                "cannot rename to \(home.dataDirectory)", home.unfinishedDataDirectory)
        }
    }

    private func command(for origin: Origin) -> Command {
        switch origin {
        case .initdb: initdb
        case .copy(let template):
            home.account.command(
                "/bin/cp", ["-a", template, home.unfinishedDataDirectory], directory: home.path)
        case .server(let socketDirectory):
            home.account.command(
                binaries.path("pg_basebackup"),
                [
                    "-h", socketDirectory, "-p", "\(ClusterHome.port)", "-U", ClusterHome.superuser, "-w",
                    "-D",
                    home.unfinishedDataDirectory, "-X", "stream", "-c", "fast", "-R", "--no-sync",
                ], directory: home.path)
        }
    }

    private var initdb: Command {
        var arguments = [
            "-D", home.unfinishedDataDirectory, "-U", ClusterHome.superuser, "-A", "trust", "-E", "UTF8",
            "--locale=C.UTF-8", "--no-instructions",
        ]
        // Segments of 16 MB are most of the bytes of a new cluster.
        if home.fate == .remove { arguments += ["--no-sync", "--wal-segsize=1"] }
        return home.account.command(binaries.path("initdb"), arguments, directory: home.path)
    }

    /// Writes a file of the data directory, which only the server's account can read.
    func write(_ contents: String, to name: String) throws(LocalPostgresError) {
        let path = "\(home.dataDirectory)/\(name)"
        let script = "umask 077; printf %s \"$1\" > \"$2\""
        try home.account.command("/bin/sh", ["-c", script, "sh", contents, path], directory: home.path)
            .runToSuccess(orThrow: "cannot write \(path)")
    }

    /// Starts the server and waits until it accepts connections.
    ///
    /// setsid(1) forks, so the server is no child of ours: nobody has to reap it, and a host that waits for
    /// any child of its own (as test runners do) never meets it. Whether it lives is asked of
    /// `processes.lock`.
    func launch() throws(LocalPostgresError) {
        let log = try openLog()
        var status = stat()
        let alreadyLogged = fstat(log.number, &status) == 0 ? Int(status.st_size) : 0
        let options = (settings + ServerSettings.enforced(home, address: address)).flatMap {
            ["-c", "\($0.0)=\($0.1)"]
        }
        let server = [binaries.path("postgres"), "-D", home.dataDirectory] + options
        let command = home.account.command("/usr/bin/setsid", ["--fork"] + server, directory: home.path)
        func failure(_ reason: String) -> LocalPostgresError {
            LocalPostgresError(
                .serverNotStarted, "the server of \(home.path) \(reason)",
                command: server.joined(separator: " "),
                output: log.tail(16_384, from: alreadyLogged).lastLines(20))
        }

        try start(command, log: log)
        for _ in 0..<ServerControl.startSeconds * 100 {
            if let postmaster = home.postmaster, postmaster.isReady { return }
            guard try FileLock.tryAcquire(home.processesLock, .exclusive, owner: home.account) == nil else {
                throw failure("ended while starting")
            }
            usleep(10_000)
        }
        try? clear(.immediate)
        throw failure("was not ready after \(ServerControl.startSeconds) s")
    }

    /// Our copy of the membership ends with this function; from then on the server's alone says that it
    /// lives.
    private func start(_ command: Command, log: Descriptor) throws(LocalPostgresError) {
        let membership = try takeMembership()
        let status = Command.wait(for: try command.start([nil, log, log, membership.descriptor]))
        guard status == 0 else {
            throw LocalPostgresError(
                .commandFailed, "cannot start the server", command: command.line, exitStatus: status,
                output: log.tail(4_096).lastLines(5))
        }
    }

    /// A share of `processes.lock` for a process about to be started.
    private func takeMembership() throws(LocalPostgresError) -> FileLock {
        try FileLock.acquire(home.processesLock, .shared, owner: home.account, seconds: 10)
    }

    /// The log, appended to; a long one makes room first and stays readable beside it.
    private func openLog() throws(LocalPostgresError) -> Descriptor {
        if let status = FileSystem.status(home.logFile), status.st_size > 8 << 20 {
            rename(home.logFile, "\(home.logFile).1")
        }
        return try Descriptor.open(home.logFile, O_RDWR | O_APPEND | O_CREAT, owner: home.account)
    }
}
