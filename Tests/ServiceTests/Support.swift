import Glibc
import Greenlets
import LocalPostgres
import LookupService
import Migrations
import NIOCore
import Postgres
import ReactorCore
import ReactorTesting
import Transports

/// A lookup service on free ports, over a migrated database of its own.
@ReactorActor
struct TestService {
    let pool: PostgresPool
    let server: LookupServer
    let url: String

    /// Starts one, runs `body`, stops it.
    nonisolated static func run(
        latency: Duration = .zero, poolSize: Int = 20, checkoutTimeout: Duration = .seconds(10),
        cluster: LocalCluster? = nil,
        _ body: @escaping @Sendable @ReactorActor (TestService) async throws -> Void
    ) async throws {
        try await withReactor { reactor in
            let url = try await reactor.threadPool.run {
                try (cluster ?? LocalCluster.shared()).createDatabase()
            }
            let configuration = try PostgresConfiguration(url)
            _ = try await Migrator(directory: migrationsDirectory, configuration: configuration).up()
            let pool = PostgresPool(
                configuration,
                PostgresPoolOptions(label: "test", maximum: poolSize, acquireTimeout: checkoutTimeout))
            let any = Endpoint(host: "127.0.0.1", port: 0)
            let server = try LookupServer(
                db: pool, options: LookupServer.Options(endpoint: any, asyncEndpoint: any, latency: latency))
            let service = TestService(pool: pool, server: server, url: url)
            let result: Result<Void, any Error>
            do { result = .success(try await body(service)) } catch { result = .failure(error) }
            await server.stop(gracePeriod: .seconds(2))
            await pool.close(grace: .seconds(2))
            try result.get()
        }
    }

    /// The repository's migrations, found from this file.
    nonisolated static var migrationsDirectory: String {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(root)/Migrations"
    }

    /// Both styles.
    enum Style: CaseIterable { case callback, async }

    func connect(_ style: Style = .callback) async throws -> LineClient {
        let port = style == .callback ? server.lines.port : server.streams.port
        return try await reactor.connectTCP("127.0.0.1", port: port) { LineClient() }
    }
}

/// A client that sends bytes and takes lines one at a time.
final class LineClient: LineReceiver {
    private var lines: [String] = []
    private var isClosed = false
    private var waiter: Deferred<Void>?

    func lineReceived(_ line: String) {
        lines.append(line)
        wake()
    }

    func connectionLost(_ end: ConnectionEnd) {
        isClosed = true
        wake()
    }

    private func wake() {
        let waiter = waiter
        self.waiter = nil
        try? waiter?.callback(())  // nobody else fires it
    }

    /// The next line, or nil when the server has closed the connection.
    func nextLine() async throws -> String? {
        while lines.isEmpty {
            if isClosed { return nil }
            let waiter = Deferred<Void>()
            self.waiter = waiter
            try await waiter.value
        }
        return lines.removeFirst()
    }

    /// Sends a line and returns the next one that comes.
    func ask(_ line: String) async throws -> String? {
        send(line)
        return try await nextLine()
    }

    func sendBytes(_ bytes: [UInt8]) { transport?.write(ByteBuffer(bytes: bytes)) }
}

/// A timer that should fire every 10 ms, and how late it was at worst.
@ReactorActor
final class Ticker {
    private(set) var ticks = 0
    private(set) var worstLateness = Duration.zero
    private var call: DelayedCall?

    func start() {
        let due = reactor.now.advanced(by: .milliseconds(10))
        call = reactor.callLater(.milliseconds(10)) { [weak self] in
            guard let self else { return }
            ticks += 1
            worstLateness = max(worstLateness, due.duration(to: reactor.now))
            start()
        }
    }

    func stop() { call?.cancelIfActive() }
}
