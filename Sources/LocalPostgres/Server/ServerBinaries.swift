import Glibc

/// Where PostgreSQL's server programs are, and of which major version.
struct ServerBinaries: Sendable {
    /// Directory of `postgres`, `initdb`, `createdb`, `pg_isready`.
    let directory: String
    /// `15`; for the rare `15beta1` also `15`.
    let majorVersion: String

    func path(_ program: String) -> String { "\(directory)/\(program)" }

    /// Finds the programs: the directory that `pg_config --bindir` names, else the newest
    /// `/usr/lib/postgresql/*/bin`. With `majorVersion`, the first of these that has this version, if one
    /// does.
    ///
    /// - Throws: `serverNotInstalled` when none of these directories holds a server.
    static func find(
        majorVersion wanted: String? = nil, searchPath: String = environmentPath,
        installations: String = "/usr/lib/postgresql"
    ) throws(LocalPostgresError) -> ServerBinaries {
        var found: [ServerBinaries] = []
        for directory in configuredDirectory(searchPath) + installedDirectories(installations) {
            guard let binaries = probe(directory) else { continue }
            if wanted == nil || binaries.majorVersion == wanted { return binaries }
            found.append(binaries)
        }
        guard let first = found.first else {
            throw LocalPostgresError(
                .serverNotInstalled,
                "no PostgreSQL server found (asked `pg_config --bindir`, looked in \(installations)/*/bin). "
                    + "Install one: apt-get install postgresql")
        }
        return first
    }

    /// The programs in `directory`; nil when the ones we need are not all there (libpq-dev alone names a
    /// directory that has none of them).
    private static func probe(_ directory: String) -> ServerBinaries? {
        for program in ["postgres", "initdb", "createdb", "pg_isready"] {
            guard access("\(directory)/\(program)", X_OK) == 0 else { return nil }
        }
        // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
        guard
            let (status, output) = try? Command(path: "\(directory)/postgres", arguments: ["--version"])
                .run(),
            status == 0, let version = output.split(separator: " ").dropFirst(2).first
        else { return nil }
        return ServerBinaries(directory: directory, majorVersion: String(version.prefix { $0.isNumber }))
    }

    static var environmentPath: String { getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin" }

    private static func configuredDirectory(_ searchPath: String) -> [String] {
        for directory in searchPath.split(separator: ":") {
            let program = "\(directory)/pg_config"
            guard access(program, X_OK) == 0 else { continue }
            guard let (status, output) = try? Command(path: program, arguments: ["--bindir"]).run(),
                status == 0
            else { return [] }
            return [output.lastLines(1)]
        }
        return []
    }

    private static func installedDirectories(_ root: String) -> [String] {
        FileSystem.entries(of: root)
            .sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }
            .map { "\(root)/\($0)/bin" }
    }
}
