import ArgumentParser
import Glibc
import Logging
import LookupService
import ReactorCore

/// The command line. Each option may also be given in the environment, by its name in capitals.
struct ServiceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Address of the callback-style server (default: 127.0.0.1:3000; port 0: any free one). [$ENDPOINT]",
            valueName: "host:port"))
    var endpoint: String?

    @Option(
        help: ArgumentHelp(
            "Address of the async-style server (default: 127.0.0.1:3001). [$ASYNC_ENDPOINT]",
            valueName: "host:port"))
    var asyncEndpoint: String?

    @Option(
        help: ArgumentHelp(
            "PostgreSQL to use, as a URL or key=value pairs (default: a private cluster in .postgres). [$DATABASE_URL]",
            valueName: "url"))
    var databaseURL: String?

    @Option(
        help: ArgumentHelp(
            "Most connections to the database at once (default: 20). [$POOL_SIZE]", valueName: "count"))
    var poolSize: String?

    @Option(
        help: ArgumentHelp(
            "Longest wait of a lookup for a connection (default: 10s). [$CHECKOUT_TIMEOUT]",
            valueName: "duration"))
    var checkoutTimeout: String?

    @Option(
        help: ArgumentHelp(
            "Make the database wait that long in each lookup: 2s, 250ms (default: 0s). [$SIMULATE_LATENCY]",
            valueName: "duration"))
    var simulateLatency: String?

    @Option(
        help: ArgumentHelp(
            "How long lookups in work may take to finish at shutdown (default: 10s). [$GRACE_PERIOD]",
            valueName: "duration"))
    var gracePeriod: String?

    @Option(
        help: ArgumentHelp(
            "trace, debug, info, notice, warning, error or critical (default: notice). [$LOG_LEVEL]",
            valueName: "level"))
    var logLevel: String?

    @Option(
        help: ArgumentHelp(
            "Directory of migrations (default: Migrations, looked for upward). [$MIGRATIONS]",
            valueName: "directory"))
    var migrations: String?

    /// The options with environment and defaults filled in.
    struct Settings: Sendable {
        var server = LookupServer.Options()
        var databaseURL: String?
        var poolSize = 20
        var checkoutTimeout: Duration = .seconds(10)
        var gracePeriod: Duration = .seconds(10)
        var migrations: String
    }

    /// Fills in environment and defaults.
    ///
    /// - Throws: `ValidationError` naming the option, the value and what it should look like.
    func resolved() throws -> Settings {
        var settings = Settings(
            migrations: given(migrations, "MIGRATIONS") ?? ProjectPaths.migrationsDirectory)
        settings.databaseURL = given(databaseURL, "DATABASE_URL")
        if let text = given(endpoint, "ENDPOINT") {
            settings.server.endpoint = try parse("endpoint", text, "HOST:PORT, such as 127.0.0.1:3000") {
                Endpoint($0)
            }
        }
        if let text = given(asyncEndpoint, "ASYNC_ENDPOINT") {
            settings.server.asyncEndpoint = try parse(
                "async-endpoint", text, "HOST:PORT, such as 127.0.0.1:3001"
            ) {
                Endpoint($0)
            }
        }
        if let text = given(poolSize, "POOL_SIZE") {
            settings.poolSize = try parse("pool-size", text, "a number from 1 to 1000") { text in
                Int(text).flatMap { (1...1000).contains($0) ? $0 : nil }
            }
        }
        if let text = given(checkoutTimeout, "CHECKOUT_TIMEOUT") {
            settings.checkoutTimeout = try duration("checkout-timeout", text)
        }
        if let text = given(simulateLatency, "SIMULATE_LATENCY") {
            settings.server.latency = try duration("simulate-latency", text)
        }
        if let text = given(gracePeriod, "GRACE_PERIOD") {
            settings.gracePeriod = try duration("grace-period", text)
        }
        return settings
    }

    /// The log level asked for.
    func resolvedLogLevel() throws -> Logger.Level {
        guard let text = given(logLevel, "LOG_LEVEL") else { return .notice }
        let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        return try parse("log-level", text, "one of \(levels)") { Logger.Level(rawValue: $0.lowercased()) }
    }

    private func given(_ option: String?, _ variable: String) -> String? {
        if let option { return option }
        guard let text = getenv(variable) else { return nil }
        let value = String(cString: text)
        return value.isEmpty ? nil : value
    }

    private func parse<Value>(_ name: String, _ text: String, _ form: String, _ read: (String) -> Value?)
        throws -> Value
    {
        guard let value = read(text) else {
            throw ValidationError("--\(name) is \"\(text)\"; it should be \(form)")
        }
        return value
    }

    private func duration(_ name: String, _ text: String) throws -> Duration {
        try parse(name, text, "a duration such as 2s, 250ms or 1m") { Duration(humanReadable: $0) }
    }
}
