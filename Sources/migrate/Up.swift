import ArgumentParser
import Migrations

/// `migrate up`
struct Up: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Applies all pending migrations, oldest first.",
        discussion: "A second run says that there is nothing to do.")

    @OptionGroup var options: MigratorOptions

    @Option(
        name: .long, help: ArgumentHelp("Apply up to this version and no further.", valueName: "version"),
        transform: MigrationVersion.parse)
    var to: MigrationVersion?

    @Flag(help: "Refuse pending migrations that are older than an applied one, instead of warning.")
    var strict = false

    func run() throws {
        let target = to
        try options.run(isStrict: strict) { migrator, progress in
            try await migrator.up(to: target, progress: progress)
        }
    }
}

extension MigrationVersion {
    /// A version on the command line; the rest of a file's name may follow.
    static func parse(_ argument: String) throws -> MigrationVersion {
        guard let version = MigrationVersion(argument.prefix { $0 != "_" }) else {
            throw ValidationError(
                "'\(argument)' is no version; a version is YYYYMMDDHHMMSS, such as 20261121000000.")
        }
        return version
    }
}
