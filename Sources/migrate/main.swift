import ArgumentParser

// Not `@main` on the command: ArgumentParser ends with 64 on wrong usage, this program with the statuses of its help.
do {
    var command = try MigrateCommand.parseAsRoot()
    try command.run()
} catch {
    ProgramEnd.end(with: error)
}
