import Glibc

/// A directory of migration files.
///
/// Reading is synchronous file I/O; `Migrator` does it on a worker thread. Any thread.
public struct MigrationDirectory: Sendable {
    /// The path as given; messages show it in front of file names.
    public let path: String

    /// The directory at `path`, which need not exist yet.
    public init(_ path: String) {
        var trimmed = path[...]
        while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
        self.path = String(trimmed)
    }

    /// The nearest `Migrations` directory: in `start` or above it, but no further up than the package's root (the
    /// first directory with a `Package.swift`) and never past the file system's. Nil when there is none.
    public static func find(named name: String = "Migrations", from start: String) -> MigrationDirectory? {
        var directory = start
        while true {
            let candidate = directory == "/" ? "/\(name)" : "\(directory)/\(name)"
            if isDirectory(candidate) { return MigrationDirectory(candidate) }
            if access("\(directory)/Package.swift", F_OK) == 0 || directory == "/" || directory.isEmpty {
                return nil
            }
            directory = directory.lastIndex(of: "/").map { String(directory[..<$0]) } ?? ""
            if directory.isEmpty { directory = "/" }
        }
    }

    /// Where a project keeps its things: the directory that holds the nearest `Migrations`, as `find` finds it; `start` when
    /// there is none. Programs that share a project's private cluster agree on its place by this.
    public static func projectDirectory(from start: String) -> String {
        guard let found = find(from: start), let slash = found.path.lastIndex(of: "/") else { return start }
        return slash == found.path.startIndex ? "/" : String(found.path[..<slash])
    }

    /// Every migration, oldest first. Files that do not end in `.sql` and hidden files are not looked at.
    ///
    /// - Throws: `MigrationError` `.usage` when the directory is missing; `.unexpected` when it or a file cannot be
    ///   read; `.invalidFile` listing *all* problems of all files, one a line.
    public func migrations() throws(MigrationError) -> [MigrationFile] {
        var files: [MigrationFile] = []
        var problems: [String] = []
        for entry in try entries() {
            let file = "\(path)/\(entry)"
            do throws(MigrationError) {
                let name = try MigrationFileName(parsing: entry, path: file)
                files.append(try MigrationFileParser(path: file).parse(try read(file), fileName: name))
            } catch {
                guard error.code == .invalidFile else { throw error }
                problems.append(error.message)
            }
        }
        files.sort { $0.version < $1.version }
        for (first, second) in zip(files, files.dropFirst()) where first.version == second.version {
            problems.append("\(second.path): the version \(second.version) is taken by \(first.path)")
        }
        guard problems.isEmpty else {
            throw MigrationError(.invalidFile, problems.joined(separator: "\n"))
        }
        return files
    }

    /// Writes a new migration with empty sections, making the directory when it is missing, and returns its path.
    ///
    /// Its version is the given time, or one second after the newest file where that is later, so that a new file
    /// is always the last.
    ///
    /// - Parameters:
    ///   - title: what it does, in words; becomes the name (`"create films"` → `create_films`).
    ///   - secondsSince1970: the time, in seconds since 1970-01-01 00:00:00 UTC.
    /// - Throws: `MigrationError` `.usage` for a title without letters; `.unexpected` when the file cannot be written.
    public func create(title: String, secondsSince1970: Int64) throws(MigrationError) -> String {
        if mkdir(path, 0o755) != 0, errno != EEXIST {
            throw systemError("cannot make the directory \(path)")
        }
        var version = MigrationVersion(secondsSince1970: secondsSince1970)
        for entry in try entries() {
            if let newest = try? MigrationFileName(parsing: entry).version, newest >= version {
                version = newest.next
            }
        }
        let file = "\(path)/\(try MigrationFileName(version: version, title: title))"
        // O_EXCL: two developers' `new` in one second must not share a file.
        let fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard fd >= 0 else { throw systemError("cannot make \(file)") }
        defer { close(fd) }
        let template = "-- migrate:up\n\n\n-- migrate:down\n\n"
        guard write(fd, template, template.utf8.count) == template.utf8.count else {
            throw systemError("cannot write \(file)")
        }
        return file
    }

    // MARK: - File system

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Names of the `.sql` files, sorted.
    private func entries() throws(MigrationError) -> [String] {
        guard let directory = opendir(path) else {
            if errno == ENOENT || errno == ENOTDIR {
                throw MigrationError(.usage, "there is no directory \(path)")
            }
            throw systemError("cannot read the directory \(path)")
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".sql"), !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    private func read(_ file: String) throws(MigrationError) -> [UInt8] {
        let fd = open(file, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { throw systemError("cannot open \(file)") }
        defer { close(fd) }
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(fd, &chunk, chunk.count)
            if count == 0 { return contents }
            if count < 0 {
                if errno == EINTR { continue }
                throw systemError("cannot read \(file)")
            }
            contents += chunk[..<count]
        }
    }

    private func systemError(_ what: String) -> MigrationError {
        MigrationError(.unexpected, "\(what): \(String(cString: strerror(errno)))")
    }
}
