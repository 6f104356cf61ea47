import Glibc
import Migrations

/// Where the project's directories are, seen from wherever the service was started.
enum ProjectPaths {
    /// The nearest directory `Migrations`, from the working one upward; as a last resort the relative name itself.
    static var migrationsDirectory: String { nearest?.path ?? "Migrations" }

    /// `.postgres` beside `Migrations`, or in the working directory.
    static var privateClusterDirectory: String {
        let parent = nearest.map { $0.path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } }
        return (parent ?? workingDirectory) + "/.postgres"
    }

    private static var nearest: MigrationDirectory? { MigrationDirectory.find(from: workingDirectory) }

    private static var workingDirectory: String {
        guard let path = getcwd(nil, 0) else { return "." }
        defer { free(path) }
        return String(cString: path)
    }
}
