import ArgumentParser
import LocalPostgres
import Logging
import LookupService
import ReactorCore

/// The executable: reads options, brings the database up, runs the reactor on the main thread.
@main
struct ServiceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service",
        abstract: "Looks up clients by code, one line at a time, on a green-thread reactor over PostgreSQL.",
        discussion: """
            Lines end in CRLF or LF. The 11th to the 15th character of a line are a client's code; the answer is that client's \
            packet. An empty line says good bye.

            Without --database-url a private PostgreSQL cluster is started in .postgres and stopped with the service.
            SIGINT or SIGTERM: stop accepting, answer what is in work, close the pool, exit 0. A second one ends at once.
            """)

    @OptionGroup var options: ServiceOptions

    func run() throws {
        let options = options
        let level = try options.resolvedLogLevel()
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        do {
            let settings = try options.resolved()
            let database = try ServiceDatabase(url: settings.databaseURL)
            defer { database.stop() }
            try Reactor.shared.run(until: { try await ServiceRun(settings, database).run() })
        } catch let error as ValidationError {
            throw error
        } catch {
            Console.printError("\(error)")
            throw ExitCode.failure
        }
    }
}
