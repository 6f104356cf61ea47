import ArgumentParser
import Glibc
import LocalPostgres
import Migrations
import Postgres

/// Which database to migrate.
struct DatabaseOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The database, as a postgres:// URL or \"keyword=value …\"; environment: DATABASE_URL.",
            discussion: "A password is safer in DATABASE_URL or ~/.pgpass: everyone can list command lines.",
            valueName: "url"))
    var databaseURL: String?

    /// The database given, or the private development one, and the server to stop afterwards if we have to.
    ///
    /// - Throws: `MigrationError` `.usage` for a URL that makes no sense, `.cannotConnect` when the private server
    ///   does not start.
    func open() throws -> (configuration: PostgresConfiguration, cluster: LocalCluster?) {
        let environment = getenv("DATABASE_URL").map { String(cString: $0) }
        if let url = databaseURL ?? environment, !url.isEmpty {
            return (try configuration(url), nil)
        }
        do {
            let cluster = try LocalCluster.start(
                in: MigrationDirectory.projectDirectory(from: currentDirectory) + "/.postgres")
            return (try configuration(cluster.url), cluster)
        } catch let error as LocalPostgresError {
            throw MigrationError(
                .cannotConnect,
                "no --database-url and no DATABASE_URL, and the private server does not start: \(error)",
                underlying: error)
        }
    }

    private func configuration(_ url: String) throws -> PostgresConfiguration {
        do {
            return try PostgresConfiguration(url)
        } catch {
            throw MigrationError(.usage, error.description, underlying: error)
        }
    }
}
