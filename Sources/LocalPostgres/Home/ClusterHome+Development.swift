import Glibc

extension ClusterHome {
    /// The home for the development cluster of `directory`, created when it is not there.
    ///
    /// As root, `directory` may lie where the server's account cannot go (/root/project, say). A new home
    /// then goes to /var/lib/green-reactor, and `directory` becomes a symbolic link to it.
    static func development(in directory: String) throws(LocalPostgresError) -> ClusterHome {
        let name = try FileSystem.absolute(directory)
        var path = name
        if let status = FileSystem.status(name), FileSystem.isLink(status) {
            path = FileSystem.target(ofLink: name) ?? name
        }
        let status = FileSystem.status(path)
        let account = try owner(of: path, status)
        if status == nil {
            if path == name, try !account.canEnter(FileSystem.parent(of: name)) {
                path = try relocate(name)
            }
            try FileSystem.makeDirectories(FileSystem.parent(of: path), mode: 0o755)
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
                throw ErrorNumber.current.error("cannot create", path, code: .unusableDirectory)
            }
        }
        if account.isOther, lchown(path, account.userID, account.groupID) != 0 {
            throw ErrorNumber.current.error("cannot change the owner of", path, code: .unusableDirectory)
        }
        guard chmod(path, 0o700) == 0, try account.canEnter(path) else {
            throw LocalPostgresError(
                .unusableDirectory,
                "\(path) cannot be entered by the account that runs the server (uid \(account.userID)): open its "
                    + "parent directories to it (chmod o+x), or remove \(path), or choose another directory")
        }
        let home = ClusterHome(
            path: path, socketDirectory: socketDirectory(for: path, account), account: account, fate: .keep)
        try home.checkSocketLength()
        try home.makePrivate(home.socketDirectory)
        return home
    }

    /// Who runs the server in `path`: whoever owns what is there already. Root thereby goes on with a plain
    /// user's cluster as that user; a plain user cannot go on with anyone else's.
    private static func owner(
        of path: String, _ status: stat?
    ) throws(LocalPostgresError) -> ServerAccount {
        let account = try ServerAccount.current()
        guard let status else { return account }
        guard FileSystem.isDirectory(status) else {
            throw LocalPostgresError(.unusableDirectory, "\(path) is not a directory")
        }
        if geteuid() == 0 {
            return status.st_uid == 0 ? account : ServerAccount(userID: status.st_uid, groupID: status.st_gid)
        }
        guard status.st_uid == account.userID else {
            throw LocalPostgresError(
                .unusableDirectory,
                "\(path) belongs to another account (uid \(status.st_uid), this is uid \(account.userID)): "
                    + "choose another directory, or set DATABASE_URL")
        }
        return account
    }

    /// A home for `name` that every account can reach, and a link to it.
    private static func relocate(_ name: String) throws(LocalPostgresError) -> String {
        let path = "/var/lib/green-reactor/postgres-\(stableHash(name))"
        guard symlink(path, name) == 0 else {
            throw ErrorNumber.current.error("cannot link to \(path) from", name, code: .unusableDirectory)
        }
        return path
    }

    /// `socket` in the home, or for a home with a name no socket can have a short one in /tmp, always the
    /// same.
    private static func socketDirectory(for path: String, _ account: ServerAccount) -> String {
        let inside = "\(path)/socket"
        if socketFits(inside) { return inside }
        return "/tmp/green-postgres-socket-\(account.userID)-\(stableHash(path))"
    }

    /// FNV-1a: the same in every process, unlike `Hasher`.
    private static func stableHash(_ text: String) -> String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}

extension ClusterHome {
    /// unix(7): a socket's path has at most 107 bytes. libpq: a comma in `host` separates two hosts.
    private static func socketFits(_ directory: String) -> Bool {
        "\(directory)/.s.PGSQL.\(port)".utf8.count <= 107 && !directory.contains(",")
    }

    func checkSocketLength() throws(LocalPostgresError) {
        guard ClusterHome.socketFits(socketDirectory) else {
            throw LocalPostgresError(
                .unusableDirectory, "\(socketDirectory) is too long for the path of a UNIX socket (107 bytes)"
            )
        }
    }

    /// Creates `directory` for the server's account alone, or verifies that what is there is just that: in
    /// /tmp anybody may have been faster.
    func makePrivate(_ directory: String) throws(LocalPostgresError) {
        if mkdir(directory, 0o700) == 0 {
            guard !account.isOther || lchown(directory, account.userID, account.groupID) == 0 else {
                throw ErrorNumber.current.error("cannot change the owner of", directory)
            }
            return
        }
        guard errno == EEXIST else { throw ErrorNumber.current.error("cannot create", directory) }
        guard let status = FileSystem.status(directory), FileSystem.isDirectory(status),
            status.st_uid == account.userID, status.st_mode & 0o077 == 0
        else {
            throw LocalPostgresError(
                .unusableDirectory,
                "\(directory) is not a directory of uid \(account.userID) with mode 0700: remove it")
        }
    }
}
