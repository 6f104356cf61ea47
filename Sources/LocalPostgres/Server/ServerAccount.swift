import Glibc

/// The account the server runs under: our own, or an unprivileged one when we are root, since PostgreSQL
/// refuses to run as root.
struct ServerAccount: Sendable, Equatable {
    let userID: uid_t
    let groupID: gid_t

    /// Whether files and processes have to be handed over to it.
    var isOther: Bool { userID != geteuid() }

    /// The account for this process: its own, or as root `postgres`, else `nobody`.
    ///
    /// - Throws: `serverNotInstalled` when we are root and neither account exists.
    static func current() throws(LocalPostgresError) -> ServerAccount {
        if geteuid() != 0 { return ServerAccount(userID: geteuid(), groupID: getegid()) }
        for name in ["postgres", "nobody"] {
            if let account = named(name) { return account }
        }
        throw LocalPostgresError(
            .serverNotInstalled,
            "PostgreSQL does not run as root, and neither of the accounts 'postgres' and 'nobody' exists. "
                + "Run as a plain user, or: apt-get install postgresql")
    }

    private static func named(_ name: String) -> ServerAccount? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil, entry.pw_uid != 0
        else { return nil }
        return ServerAccount(userID: entry.pw_uid, groupID: entry.pw_gid)
    }

    /// `path arguments`, to be run under this account. setpriv (util-linux, an essential package) changes the
    /// ids and executes: the process id stays the same, and no shell or PAM session comes between.
    func command(_ path: String, _ arguments: [String], directory: String = "/") -> Command {
        guard isOther else { return Command(path: path, arguments: arguments, directory: directory) }
        let identity = ["--reuid=\(userID)", "--regid=\(groupID)", "--clear-groups", "--"]
        return Command(
            path: "/usr/bin/setpriv", arguments: identity + [path] + arguments, directory: directory)
    }

    /// Whether this account can enter `directory`: every parent has to let it through.
    func canEnter(_ directory: String) throws(LocalPostgresError) -> Bool {
        try isAllowed(X_OK, "-x", directory)
    }

    /// Whether this account can make and remove entries of `directory`.
    func canWrite(_ directory: String) throws(LocalPostgresError) -> Bool {
        try isAllowed(W_OK, "-w", directory)
    }

    /// Asked of the system, as the account, so that groups, ACLs and mount options count.
    private func isAllowed(_ mode: Int32, _ test: String, _ path: String) throws(LocalPostgresError) -> Bool {
        guard isOther else { return access(path, mode) == 0 }
        return try command("/usr/bin/test", [test, path]).run().status == 0
    }
}
