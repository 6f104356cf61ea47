import ArgumentParser
import Glibc
import Migrations

/// `migrate new`
struct New: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes an empty migration named after the current UTC time, and prints its path.",
        usage: "migrate new <name> ... [--directory <path>]")

    @Argument(help: ArgumentHelp("What it does, e.g. create films.", valueName: "name"))
    var words: [String]

    @OptionGroup var directory: DirectoryOptions

    func run() throws {
        // The first migration of a project makes its directory.
        let place = (try? directory.find()) ?? MigrationDirectory("Migrations")
        print(try place.create(title: words.joined(separator: " "), secondsSince1970: Int64(time(nil))))
    }
}
