import ArgumentParser
import Glibc
import Migrations

/// Where the migration files are.
struct DirectoryOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The directory of the migration files; environment: MIGRATIONS.",
            discussion:
                "By default Migrations in the current directory or above it, up to the package's root.",
            valueName: "path"))
    var directory: String?

    /// The directory given, or the nearest one called Migrations.
    func find() throws -> MigrationDirectory {
        let environment = getenv("MIGRATIONS").map { String(cString: $0) }
        if let path = directory ?? environment, !path.isEmpty { return MigrationDirectory(path) }
        let current = currentDirectory
        guard let found = MigrationDirectory.find(from: current) else {
            throw MigrationError(
                .usage,
                "there is no directory Migrations in \(current) or above it; name one with --directory")
        }
        // Messages are read in a terminal that stands in the current directory.
        let prefix = current + "/"
        return found.path.hasPrefix(prefix)
            ? MigrationDirectory(String(found.path.dropFirst(prefix.count))) : found
    }
}

/// The process's current directory, `/` when it has been removed.
var currentDirectory: String {
    guard let buffer = getcwd(nil, 0) else { return "/" }
    defer { free(buffer) }
    return String(cString: buffer)
}
