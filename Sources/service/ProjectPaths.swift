import Glibc
import Migrations

/// Where the project's directories are, seen from wherever the service was started.
enum ProjectPaths {
    /// The nearest directory `Migrations`, from the working one upward; as a last resort the relative name itself.
    static var migrationsDirectory: String {
        MigrationDirectory.find(from: workingDirectory)?.path ?? "Migrations"
    }

    /// `.postgres` beside `Migrations`, or in the working directory.
    static var privateClusterDirectory: String {
        MigrationDirectory.projectDirectory(from: workingDirectory) + "/.postgres"
    }

    private static var workingDirectory: String {
        guard let path = getcwd(nil, 0) else { return "." }
        defer { free(path) }
        return String(cString: path)
    }
}
