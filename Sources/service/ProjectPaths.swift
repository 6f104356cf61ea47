import Glibc

/// Where the project's directories are, seen from wherever the service was started.
enum ProjectPaths {
    /// `Migrations` in the working directory or the nearest one above; as a last resort the relative name itself.
    static var migrationsDirectory: String { root.map { $0 + "/Migrations" } ?? "Migrations" }

    /// `.postgres` beside `Migrations`, or in the working directory.
    static var privateClusterDirectory: String { (root ?? workingDirectory) + "/.postgres" }

    /// The nearest directory, from the working one upward, that holds `Migrations`.
    private static let root: String? = {
        var directory = workingDirectory
        while true {
            var status = stat()
            if stat(directory + "/Migrations", &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
                return directory
            }
            guard let slash = directory.lastIndex(of: "/"), directory != "/" else { return nil }
            directory = slash == directory.startIndex ? "" : String(directory[..<slash])
            if directory.isEmpty { return nil }
        }
    }()

    private static var workingDirectory: String {
        guard let path = getcwd(nil, 0) else { return "." }
        defer { free(path) }
        return String(cString: path)
    }
}
