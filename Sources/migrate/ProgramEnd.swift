import ArgumentParser
import Glibc
import Migrations

/// How the program ends when something went wrong.
enum ProgramEnd {
    /// Says what went wrong and ends the process with the status that stands in the help.
    static func end(with error: any Error) -> Never {
        switch error {
        case let error as MigrationError:
            // The operator's terminal may show what the server quotes from rows; logs get `description`.
            printError("migrate: " + (error.failure?.report(includingDetail: true) ?? error.message))
            exit(error.code.exitStatus)
        case is Interrupted, is CancellationError:
            printError(
                "migrate: interrupted; what was not committed has been rolled back, see \"migrate status\"")
            exit(130)
        default:
            let status = MigrateCommand.exitCode(for: error)
            guard status == .validationFailure else { MigrateCommand.exit(withError: error) }
            printError(MigrateCommand.fullMessage(for: error))
            exit(MigrationError.Code.usage.exitStatus)
        }
    }
}

/// Prints a line to standard error, after what standard output holds back.
func printError(_ line: String) {
    fflush(nil)
    let text = line + "\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
}
