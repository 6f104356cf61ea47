import BlockingShims
import Glibc
import Greenlets
import Logging
import LookupService
import Migrations
import NIOCore
import Postgres
import ReactorCore
import Transports

/// One run of the service: start, tell where it listens, wait for a signal, stop.
@ReactorActor
final class ServiceRun {
    private let settings: ServiceOptions.Settings
    private let database: ServiceDatabase
    private let logger = Logger(label: "service")

    init(_ settings: ServiceOptions.Settings, _ database: ServiceDatabase) {
        self.settings = settings
        self.database = database
    }

    /// What is up once the service has started.
    private struct Running {
        let server: LookupServer
        let pool: PostgresPool
    }

    /// Returns after an orderly stop.
    ///
    /// - Throws: what keeps the service from starting, as one message.
    func run() async throws {
        let signals = try reactor.signals(SIGINT, SIGTERM)
        let stopAsked = Deferred<Void>()
        let startup = Greenlet.spawn(name: "startup") { try await self.start() }
        let listener = Greenlet.spawn(name: "signals") {
            var iterator = signals.makeAsyncIterator()
            let first = try await iterator.next() ?? SIGTERM
            self.logger.notice("\(first == SIGINT ? "SIGINT" : "SIGTERM"): stopping, again to end at once")
            startup.cancel()
            try stopAsked.callback(())
            let second = try await iterator.next() ?? SIGTERM
            self.logger.warning("second signal: ending at once")
            _exit(128 + second)  // the private cluster, if any, is stopped by its watchdog
        }
        defer { listener.cancel() }
        let running: Running
        do { running = try await startup.get() } catch is GreenletExit { return }
        report(running)
        try await stopAsked.value
        await running.server.stop(gracePeriod: settings.gracePeriod)
        await running.pool.close(grace: settings.gracePeriod)
    }

    private func start() async throws -> Running {
        let configuration = try PostgresConfiguration(database.url)
        let summary = try await Migrator(directory: settings.migrations, configuration: configuration).up()
        logger.info("\(summary)")
        // Linked in for what handlers may call besides the pool: any C library's waiting parks its greenlet.
        logger.debug("blocking calls of C libraries park: \(BlockingShims.isActive)")
        var options = PostgresPoolOptions()
        options.maximum = settings.poolSize
        options.acquireTimeout = settings.checkoutTimeout
        options.label = "lookup"
        let pool = PostgresPool(configuration, options)
        do {
            return Running(server: try LookupServer(db: pool, options: settings.server), pool: pool)
        } catch {
            await pool.close(grace: .zero)
            throw error
        }
    }

    private func report(_ running: Running) {
        let lines = running.server.lines.localAddress
        let streams = running.server.streams.localAddress
        let latency = settings.server.latency
        let pace = latency > .zero ? ", each lookup waits \(latency.humanReadable) there" : ""
        Console.print(
            """
            callback style on  \(lines.hostAndPort)
            async style on     \(streams.hostAndPort)
            database           \(running.pool.configuration.redactedDescription)\(database.isPrivate ? " (private)" : "")
            pool               up to \(settings.poolSize) connections\(pace)
            try  \(command("12345678901234567890", lines))
            try  \(command("abcdefghijklmnopqrst", streams))
            try  Scripts/migrate status
            """)
    }

    /// A command that sends a line and an empty one and prints the answers. Bash alone, because nothing else is everywhere.
    private func command(_ line: String, _ address: SocketAddress) -> String {
        let path = "/dev/tcp/\(address.ipAddress ?? "127.0.0.1")/\(address.port ?? 0)"
        return "bash -c 'exec 3<>\(path); echo \(line) >&3; echo >&3; cat <&3'"
    }
}
