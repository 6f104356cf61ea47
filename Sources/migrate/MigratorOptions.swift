import ArgumentParser
import Glibc
import LocalPostgres
import Migrations
import ReactorCore

/// What `up` and `down` have in common.
struct MigratorOptions: ParsableArguments {
    @OptionGroup var directory: DirectoryOptions
    @OptionGroup var database: DatabaseOptions

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How long to wait while another runner migrates the same database: 60, 500ms, 2m.",
            valueName: "time"))
    var lockTimeout = Seconds(.seconds(60))

    /// Runs `operation` with a migrator and prints its summary, once everything in it is committed.
    func run(
        isStrict: Bool = false,
        _ operation:
            @escaping @Sendable @ReactorActor (Migrator, @escaping Migrator.Progress) async throws ->
            MigrationSummary
    ) throws {
        let directory = try directory.find()
        let (configuration, cluster) = try database.open()
        defer { cluster?.stop() }
        var options = Migrator.Options()
        options.lockTimeout = lockTimeout.duration
        options.isStrict = isStrict
        let migrator = Migrator(directory: directory.path, configuration: configuration, options: options)
        let summary = try runInterruptibly {
            try await operation(migrator) { event in
                switch event {
                case .started:
                    // Somebody watches and wonders; a log needs the outcome only.
                    if isatty(STDERR_FILENO) == 1 { printError("\(event)") }
                case .finished(let entry): print(entry)
                case .warning, .waitingForLock, .retrying, .droppedInvalidIndex, .foundFinishedIndex:
                    printError("migrate: \(event)")
                }
            }
        }
        print(summary)
    }
}
