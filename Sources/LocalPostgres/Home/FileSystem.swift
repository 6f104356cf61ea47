import Glibc

/// The few questions to the file system that have an answer instead of an error.
enum FileSystem {
    /// Names in `directory` but `.` and `..`; empty when it cannot be read.
    static func entries(of directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// What is at `path`, symbolic links not followed; nil when nothing is, or nothing we may see.
    static func status(_ path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    static func isDirectory(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }
    static func isLink(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFLNK }

    /// The lines of a small file; empty when it cannot be read.
    static func lines(_ path: String) -> [Substring] {
        guard let file = try? Descriptor.open(path, O_RDONLY) else { return [] }
        return file.tail(8_192).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// Where the symbolic link at `path` leads, made absolute but not resolved further.
    static func target(ofLink path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0 else { return nil }
        let target = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return target.hasPrefix("/") ? target : "\(parent(of: path))/\(target)"
    }

    static func parent(of path: String) -> String {
        let end = path.lastIndex(of: "/") ?? path.startIndex
        return end == path.startIndex ? "/" : String(path[..<end])
    }

    /// Creates `path` and the parents it lacks, as mkdir -p does; `mode` is that of the parents too.
    static func makeDirectories(_ path: String, mode: mode_t) throws(LocalPostgresError) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, parent(of: path) != path else {
            throw ErrorNumber.current.error("cannot create", path, code: .unusableDirectory)
        }
        try makeDirectories(parent(of: path), mode: mode)
        guard mkdir(path, mode) == 0 || errno == EEXIST else {
            throw ErrorNumber.current.error("cannot create", path, code: .unusableDirectory)
        }
    }

    /// `path` made absolute, its existing parent resolved.
    static func absolute(_ path: String) throws(LocalPostgresError) -> String {
        var trimmed = path
        while trimmed.count > 1 && trimmed.hasSuffix("/") { trimmed.removeLast() }
        let slash = trimmed.lastIndex(of: "/")
        let directory = slash == nil ? "." : parent(of: trimmed)
        let name = slash.map { String(trimmed[trimmed.index(after: $0)...]) } ?? trimmed
        guard !name.isEmpty, name != ".", name != ".." else {
            throw LocalPostgresError(
                .unusableDirectory, "'\(path)' does not name a directory of the cluster's own")
        }
        try makeDirectories(directory, mode: 0o755)
        guard let resolved = realpath(directory, nil) else {
            throw ErrorNumber.current.error("cannot resolve", directory, code: .unusableDirectory)
        }
        defer { free(resolved) }
        let base = String(cString: resolved)
        return base == "/" ? "/\(name)" : "\(base)/\(name)"
    }
}
