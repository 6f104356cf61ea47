import ArgumentParser
import Migrations

/// `migrate down`
struct Down: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Reverts the newest applied migrations, newest first.",
        discussion: "Runs the \"-- migrate:down\" section of each. A migration without one is not reverted.")

    @Argument(help: "How many migrations to revert.")
    var count = 1

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Revert everything newer than this version, and ignore the count.", valueName: "version"),
        transform: MigrationVersion.parse)
    var to: MigrationVersion?

    @OptionGroup var options: MigratorOptions

    func validate() throws {
        guard count > 0 else { throw ValidationError("The count must be at least 1.") }
    }

    func run() throws {
        let (count, target) = (count, to)
        try options.run { migrator, progress in
            if let target { return try await migrator.down(to: target, progress: progress) }
            return try await migrator.down(count, progress: progress)
        }
    }
}
