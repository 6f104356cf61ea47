import Glibc
import Greenlets
import LocalPostgres
import Postgres
import ReactorCore
import ReactorTesting
import Testing
import Transports

/// The program as its users meet it: its first lines, its errors, its end.
@Suite(.serialized) struct ServiceProcessTests {
    private static let anyPorts = ["--endpoint", "127.0.0.1:0", "--async-endpoint", "127.0.0.1:0"]

    @Test func startsWithAtMostTenLinesAnswersAndStopsWithStatusZero() async throws {
        try await withReactor { reactor in
            let url = try await freshDatabase()
            let service = try await ServiceProcess.start(
                Self.anyPorts + ["--migrations", TestService.migrationsDirectory],
                environment: ["DATABASE_URL": url])
            let banner = try await service.lines(until: "Scripts/migrate")
            #expect(banner.count <= 10)
            let ports = ports(in: banner)
            try #require(ports.count == 2, "\(banner)")
            for port in ports {
                let client = try await reactor.connectTCP("127.0.0.1", port: port) { LineClient() }
                let answer = try await client.ask("abcdefghijklmnopqrst")
                #expect(answer == "dummypacketmaker012345678Dummy_klmno")
                client.loseConnection()
            }
            service.signal(SIGTERM)
            let end = try await service.end()
            #expect(end.status == 0)
        }
    }

    @Test func loadAddsNoThread() async throws {
        try await withReactor { reactor in
            let url = try await freshDatabase()
            let service = try await ServiceProcess.start(
                Self.anyPorts + [
                    "--migrations", TestService.migrationsDirectory, "--simulate-latency", "100ms",
                    "--database-url", url,
                ])
            let banner = try await service.lines(until: "Scripts/migrate")
            let port = try #require(ports(in: banner).first)
            var clients: [LineClient] = []
            for _ in 0..<200 {
                clients.append(try await reactor.connectTCP("127.0.0.1", port: port) { LineClient() })
            }
            _ = try await clients[0].ask("12345678901234567890")
            let idle = service.threadCount
            for client in clients { client.send("12345678901234567890") }
            try await reactor.sleep(for: .milliseconds(300))
            let busy = service.threadCount
            for client in clients {
                let answer = try await client.nextLine()
                #expect(answer == "dummypacketmaker012345678Dummy_12345")
            }
            #expect(idle > 0 && busy <= idle)
            for client in clients { client.abortConnection() }
            service.signal(SIGINT)
            let end = try await service.end()
            #expect(end.status == 0)
        }
    }

    @Test func lookupsInWorkAreAnsweredBeforeTheServiceEnds() async throws {
        try await withReactor { reactor in
            let url = try await freshDatabase()
            let service = try await ServiceProcess.start(
                Self.anyPorts + [
                    "--migrations", TestService.migrationsDirectory, "--simulate-latency", "2s",
                    "--database-url", url,
                ])
            let banner = try await service.lines(until: "Scripts/migrate")
            for port in ports(in: banner) {
                let client = try await reactor.connectTCP("127.0.0.1", port: port) { LineClient() }
                client.send("12345678901234567890")
                _ = Greenlet.spawn {
                    let answer = try await client.nextLine()
                    #expect(answer == "dummypacketmaker012345678Dummy_12345")
                    let end = try await client.nextLine()
                    #expect(end == nil)
                }
            }
            try await waitForLookups(2, at: url)
            service.signal(SIGTERM)
            let end = try await service.end()
            #expect(end.status == 0)
        }
    }

    @Test func secondSignalEndsAtOnce() async throws {
        try await withReactor { reactor in
            let url = try await freshDatabase()
            let service = try await ServiceProcess.start(
                Self.anyPorts + [
                    "--migrations", TestService.migrationsDirectory, "--simulate-latency", "30s",
                    "--database-url", url,
                ])
            let banner = try await service.lines(until: "Scripts/migrate")
            let port = try #require(ports(in: banner).first)
            let client = try await reactor.connectTCP("127.0.0.1", port: port) { LineClient() }
            client.send("12345678901234567890")
            try await waitForLookups(1, at: url)
            service.signal(SIGTERM)
            _ = try await service.lines(until: "stopping")
            service.signal(SIGTERM)
            let end = try await service.end()
            #expect(end.status == 128 + SIGTERM)
            client.abortConnection()
        }
    }

    @Test func privateClusterSurvivesTheKillOfTheServiceAndEndsWithIt() async throws {
        try await withReactor(timeLimit: .seconds(120)) { reactor in
            let directory = try TemporaryDirectory()
            defer { directory.remove() }
            symlink(TestService.migrationsDirectory, directory.path + "/Migrations")
            var service = try await ServiceProcess.start(Self.anyPorts, in: directory.path)
            _ = try await service.lines(until: "Scripts/migrate")
            service.signal(SIGKILL)
            _ = try await service.end()
            service = try await ServiceProcess.start(Self.anyPorts, in: directory.path)
            let banner = try await service.lines(until: "Scripts/migrate")
            #expect(banner.contains { $0.contains("(private)") })
            let port = try #require(ports(in: banner).first)
            let client = try await reactor.connectTCP("127.0.0.1", port: port) { LineClient() }
            let answer = try await client.ask("12345678901234567890")
            #expect(answer == "dummypacketmaker012345678Dummy_12345")
            client.loseConnection()
            service.signal(SIGTERM)
            let end = try await service.end()
            #expect(end.status == 0)
        }
    }

    // MARK: Errors at the start

    @Test func wrongURLIsOneClearLine() async throws {
        try await expectFailure(["--database-url", "nonsense://nowhere"], mentioning: "nonsense")
    }

    @Test func refusedConnectionIsOneClearLine() async throws {
        try await expectFailure(
            ["--database-url", "postgresql://someone:secret@127.0.0.1:1/shop"], mentioning: "refused")
    }

    @Test func missingDatabaseIsOneClearLine() async throws {
        try await withReactor { reactor in
            let url = try await reactor.threadPool.run {
                try LocalCluster.shared().url(database: "no_such_database")
            }
            try await expectFailure(["--database-url", url], mentioning: "no_such_database")
        }
    }

    @Test func portInUseIsOneClearLine() async throws {
        try await withReactor { reactor in
            let url = try await freshDatabase()
            let taken = try reactor.listenTCP("127.0.0.1", port: 0) { LineClient() }
            try await expectFailure(
                ["--database-url", url, "--endpoint", "127.0.0.1:\(taken.port)"], mentioning: "\(taken.port)")
            taken.stopListening()
        }
    }

    @Test(arguments: [
        ["--pool-size", "many"], ["--endpoint", "nowhere"], ["--simulate-latency", "2 fortnights"],
        ["--log-level", "loud"],
    ])
    func wrongOptionNamesItselfItsValueAndTheForm(_ arguments: [String]) async throws {
        try await withReactor { _ in
            let service = try await ServiceProcess.start(arguments)
            let end = try await service.end()
            let text = end.output.joined(separator: "\n")
            #expect(end.status != 0)
            #expect(text.contains(arguments[0]) && text.contains(arguments[1]), "\(text)")
        }
    }

    private func expectFailure(_ arguments: [String], mentioning text: String) async throws {
        try await withReactor { _ in
            let service = try await ServiceProcess.start(
                (arguments.contains("--endpoint") ? ["--async-endpoint", "127.0.0.1:0"] : Self.anyPorts)
                    + arguments
                    + ["--migrations", TestService.migrationsDirectory])
            let end = try await service.end()
            #expect(end.status > 0, "ended by itself, not by a signal")
            #expect(end.output.count == 1, "\(end.output)")
            #expect(end.output.first?.hasPrefix("service: ") == true)
            #expect(end.output.first?.contains(text) == true, "\(end.output)")
            #expect(end.output.first?.contains("secret") == false)
        }
    }

    /// The ports in the lines that tell where the service listens.
    private nonisolated func ports(in banner: [String]) -> [Int] {
        banner.prefix(2).compactMap { $0.split(separator: ":").last.flatMap { Int($0) } }
    }
}

/// Returns when the database is at work on so many lookups that simulate latency.
@ReactorActor private func waitForLookups(_ count: Int, at url: String) async throws {
    let admin = try await PostgresConnection.connect(PostgresConfiguration(url))
    while try await admin.one(
        Int.self,
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'
        """) < count
    {
        try await reactor.sleep(for: .milliseconds(10))
    }
    await admin.close()
}

@ReactorActor private func freshDatabase() async throws -> String {
    try await reactor.threadPool.run { try LocalCluster.shared().createDatabase() }
}

/// A directory of the test's own that every user may enter.
private struct TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/lookup-service-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ReactorError(.systemCall, "mkdtemp failed", errno: errno)
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(path, 0o755)
    }

    func remove() {
        // The cluster has stopped; its files, of another account than ours, belong to the test.
        system("rm -rf '\(path)'")
    }
}
