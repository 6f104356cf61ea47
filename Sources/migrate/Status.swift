import ArgumentParser
import LocalPostgres
import Migrations

/// `migrate status`
struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists the migrations: applied, pending, changed since, file missing.",
        discussion: "Changes nothing and takes no lock.")

    @OptionGroup var directory: DirectoryOptions
    @OptionGroup var database: DatabaseOptions

    @Flag(help: "Print a JSON array, one object a migration.")
    var json = false

    @Flag(
        help: "Exit with status 8 when migrations are pending, 7 when one has changed since it was applied.")
    var exitCode = false

    func run() throws {
        let directory = try directory.find()
        let (configuration, cluster) = try database.open()
        defer { cluster?.stop() }
        let migrator = Migrator(directory: directory.path, configuration: configuration)
        let status = try runInterruptibly { try await migrator.status() }
        print(json ? status.json : status.report)
        guard exitCode else { return }
        if status.entries.contains(where: { $0.state == .drifted }) { throw ExitCode(7) }
        if !status.pending.isEmpty { throw ExitCode(8) }
    }
}
