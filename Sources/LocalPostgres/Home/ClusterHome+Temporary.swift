import Glibc

extension ClusterHome {
    private static let temporaryPrefix = "green-postgres."

    /// Where throw-away clusters live: the variable `LOCAL_POSTGRES_TMPDIR` (everyone must be able to write
    /// there, as in /tmp), else /tmp. Not `TMPDIR`, which is often too long for a socket or closed to the
    /// server's account.
    static var temporaryParent: String { namedParent ?? "/tmp" }

    /// Absolute, since the server's programs run in directories of their own; an empty one is none.
    private static var namedParent: String? {
        guard let name = getenv("LOCAL_POSTGRES_TMPDIR").map({ String(cString: $0) }), !name.isEmpty else {
            return nil
        }
        guard !name.hasPrefix("/"), let resolved = realpath(name, nil) else { return name }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// A new home with a name nobody else has.
    static func temporary(for account: ServerAccount) throws(LocalPostgresError) -> ClusterHome {
        // Of /tmp there is no need to ask, and what is not there mkdtemp says.
        if let parent = namedParent, access(parent, F_OK) == 0, try !account.canWrite(parent) {
            throw LocalPostgresError(
                .unusableDirectory,
                "LOCAL_POSTGRES_TMPDIR is \(parent), where the server's account (user \(account.userID)) may not write and "
                    + "could clear nothing up: chmod 1777 \(parent), or name another directory")
        }
        var template = Array("\(temporaryParent)/\(temporaryPrefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ErrorNumber.current.error("cannot create a directory in", temporaryParent)
        }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let home = ClusterHome(
            path: path, socketDirectory: "\(path)/socket", account: account, fate: .remove)
        do throws(LocalPostgresError) {
            if account.isOther, chown(path, account.userID, account.groupID) != 0 {
                throw ErrorNumber.current.error("cannot change the owner of", path)
            }
            try home.checkSocketLength()
            try home.makePrivate(home.socketDirectory)
        } catch {
            rmdir(home.socketDirectory)
            rmdir(path)
            throw error
        }
        return home
    }

    /// Homes whose users and watchdogs are all dead: a machine that lost power, a `kill -9` of everything at
    /// once.
    ///
    /// A home younger than a minute is left alone: it may be about to get its locks.
    static func abandoned(of account: ServerAccount, olderThan seconds: Int = 60) -> [ClusterHome] {
        let parent = temporaryParent
        return FileSystem.entries(of: parent).filter { $0.hasPrefix(temporaryPrefix) }.compactMap { name in
            let path = "\(parent)/\(name)"
            guard let status = FileSystem.status(path), FileSystem.isDirectory(status),
                status.st_uid == account.userID, status.st_ctim.tv_sec < time(nil) - seconds
            else { return nil }
            let home = ClusterHome(
                path: path, socketDirectory: "\(path)/socket", account: account, fate: .remove)
            // Only asked whether it is free, and released at once: the watchdog that clears up takes it
            // itself.
            let lock = try? FileLock.tryAcquire(home.usersLock, .exclusive, owner: account)
            return lock == nil ? nil : home
        }
    }
}
