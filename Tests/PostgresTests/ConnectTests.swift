import Glibc
import Greenlets
import LocalPostgres
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct ConnectTests {
    func error(_ text: String) async throws -> PostgresError {
        try await withReactor { (_) async throws in
            try await failure { _ = try await PostgresConnection.connect(PostgresConfiguration(text)) }
        }
    }

    @Test func aRefusedConnectionIsOneClearLine() async throws {
        // A port that nobody can listen on, for it is bound.
        let holder = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(holder) }
        let error = try await error("postgres://app:secret@127.0.0.1:\(try bindToFreePort(holder))/shop")
        #expect(error.code == .connectFailed && error.isRetrySafe && !error.isPermanentConnectFailure)
        #expect(error.description.contains("postgres://app@127.0.0.1:"))
        #expect(error.description.contains("Connection refused"))
        #expect(!error.description.contains("\n") && !error.description.contains("secret"))
    }

    @Test func aMissingSocketIsOneClearLine() async throws {
        let error = try await error("host=/nowhere dbname=shop user=app password=secret")
        #expect(error.description.contains("No such file or directory"))
        #expect(!error.description.contains("\n") && !error.description.contains("secret"))
    }

    @Test func aMissingDatabaseIsPermanent() async throws {
        let error = try await error(try LocalCluster.shared().url(database: "missing"))
        #expect(error.sqlState == .invalidCatalogName && error.isPermanentConnectFailure)
        #expect(error.description.contains("database \"missing\" does not exist"))
        #expect(!error.description.contains("\n") && !error.description.contains("LOCATION"))
    }

    @Test func anUnknownHostIsOneClearLine() async throws {
        let error = try await error("postgres://app:secret@no-such-host.invalid/shop")
        #expect(error.description.contains("no-such-host.invalid") && !error.description.contains("secret"))
        #expect(!error.description.contains("\n"))
    }

    @Test func aHostThatNeverAnswersCostsTheTimeoutAndTheNextHostIsTried() async throws {
        // Accepts into its backlog and says nothing.
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        let port = try bindToFreePort(listener)
        #expect(listen(listener, 8) == 0)
        var configuration = try PostgresConfiguration(
            "host=127.0.0.1,\(try LocalCluster.shared().socketDirectory) port=\(port),5432 dbname=postgres user=postgres"
        )
        // The next has as long.
        configuration.connectTimeout = .seconds(2)
        try await withReactor { [configuration] (_) async throws in
            let connection = try await PostgresConnection.connect(configuration)
            let value: Int = try await connection.one("SELECT 1")
            #expect(value == 1)
            await connection.close()
        }
        configuration["host"] = "127.0.0.1"
        configuration["port"] = "\(port)"
        configuration.connectTimeout = .milliseconds(100)
        try await withReactor { [configuration] (_) async throws in
            let error = try await failure { _ = try await PostgresConnection.connect(configuration) }
            #expect(error.isTimeout && error.description.contains("no answer within"))
        }
    }

    @Test func anAddressThatNeverAnswersLeavesTheNextItsWholeTime() async throws {
        let (silent, live) = (randomAddress(), randomAddress())
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        _ = try bindToFreePort(listener, 5432, of: silent)
        #expect(listen(listener, 8) == 0)
        let cluster = try LocalCluster.temporary(
            listeningOn: live, files: ["pg_hba.conf": "local all all trust\nhost all all all trust\n"])
        defer { cluster.stop() }
        try await withReactor { (reactor) async throws in
            reactor.installResolver(TwoAddresses(addresses: [silent, live]))
            var configuration = try PostgresConfiguration(
                "host=db.example user=postgres dbname=postgres sslmode=disable")
            configuration.connectTimeout = .seconds(3)
            let connection = try await PostgresConnection.connect(configuration)
            #expect(try await connection.one(Int.self, "SELECT 1") == 1)
            await connection.close()
        }
    }

    /// Several servers may share a name, and one that is starting or full says nothing of the others; a wrong password does.
    @Test(arguments: [("57P03", "53400"), ("53300", "53400"), ("28P01", "28P01")])
    func aServerThatTakesNobodyNowLeavesTheNextAddressToBeTried(state: String, expected: String) async throws
    {
        let addresses = [randomAddress(), randomAddress()]
        let listeners = addresses.map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        defer { for listener in listeners { close(listener) } }
        var port = UInt16(0)
        for (listener, address) in zip(listeners, addresses) {
            port = UInt16(try bindToFreePort(listener, port, of: address))
            #expect(listen(listener, 8) == 0)
        }
        try await withReactor { [port] (reactor) async throws in
            reactor.installResolver(TwoAddresses(addresses: addresses))
            let servers = zip(listeners, [state, "53400"]).map { listener, state in
                Greenlet.spawn { () async throws in try await refuse(listener, state) }
            }
            let error = try await failure {
                _ = try await PostgresConnection.connect(
                    PostgresConfiguration(
                        "host=db.example port=\(port) user=app dbname=d sslmode=disable password=x"))
            }
            #expect(error.sqlState?.rawValue == expected)
            for server in servers { try await server.kill() }
        }
    }

    @Test func aCancelledConnectLeavesNothingBehind() async throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        let port = try bindToFreePort(listener)
        #expect(listen(listener, 8) == 0)
        try await withReactor { (reactor) async throws in
            let greenlet = Greenlet.spawn {
                try await PostgresConnection.connect(
                    PostgresConfiguration("postgres://app@127.0.0.1:\(port)/shop"))
            }
            try await reactor.sleep(for: .milliseconds(20))
            try await greenlet.kill()
            #expect(greenlet.result != nil)
        }
    }

    /// The shared cluster trusts everybody, so this one makes a role and a rule of its own.
    @Test func aWrongPasswordIsPermanentAndNotRepeated() async throws {
        let cluster = try LocalCluster.temporary()
        defer { cluster.stop() }
        try await withReactor { (_) async throws in
            let admin = try await PostgresConnection.connect(PostgresConfiguration(cluster.url))
            let rules: String = try await admin.one("SELECT current_setting('hba_file')")
            try await admin.script(
                """
                CREATE ROLE app LOGIN PASSWORD 'secret';
                COPY (SELECT unnest(ARRAY['local all app scram-sha-256', 'local all all trust'])) TO '\(rules)';
                SELECT pg_reload_conf();
                """)
            var configuration = try PostgresConfiguration(cluster.url)
            configuration["user"] = "app"
            configuration["password"] = "wrong-word"
            var refusal: PostgresError?
            _ = try await eventually {
                do {
                    try await PostgresConnection.connect(configuration).close()
                } catch let error as PostgresError {
                    refusal = error
                }
                return refusal != nil
            }
            let refused = try #require(refusal)
            #expect(refused.sqlState == .invalidPassword && refused.isPermanentConnectFailure)
            #expect(refused.description.contains("password authentication failed for user \"app\""))
            #expect(!refused.description.contains("wrong-word") && !refused.description.contains("\n"))
            let pool = PostgresPool(configuration, .init(label: "locked"))
            let error = try await failure { try await pool.execute("SELECT 1") }
            #expect(error.sqlState == .invalidPassword)
            await pool.close()
            try await Self.expectAdvice(configuration)
            configuration["password"] = "secret"
            let connection = try await PostgresConnection.connect(configuration)
            let user: String = try await connection.one("SELECT current_user::text")
            #expect(user == "app")
            await connection.close()
            await admin.close()
        }
    }

    /// Without a password a pool's borrowers fail at once, and are told where one is looked for.
    @ReactorActor
    private static func expectAdvice(_ original: PostgresConfiguration) async throws {
        var template = Array("/tmp/pgpass-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }  // it has its NUL
        defer {
            close(descriptor)
            unlink(path)
        }
        var configuration = original
        configuration["password"] = nil
        for (mode, line, file, advice) in [
            (0o600, "", path + ".absent", "there is no \(path).absent"),
            (0o600, "elsewhere:*:*:*:secret", path, "no line for this host"),
            (0o644, "*:*:*:*:secret", path, "chmod 600"),
        ] as [(mode_t, String, String, String)] {
            let text = Array(line.utf8)
            try #require(
                ftruncate(descriptor, 0) == 0 && pwrite(descriptor, text, text.count, 0) == text.count)
            try #require(fchmod(descriptor, mode) == 0)
            configuration["passfile"] = file
            let pool = PostgresPool(configuration)
            let error = try await failure { try await pool.execute("SELECT 1") }
            #expect(error.code == .connectFailed && error.message.contains(advice), "\(error)")
            #expect(!error.isRetrySafe && !error.description.contains("secret"))
            await pool.close()
        }
        try #require(fchmod(descriptor, 0o600) == 0)
        try await PostgresConnection.connect(configuration).close()
        let wrong = Array("*:*:*:*:wrong-word".utf8)
        try #require(
            ftruncate(descriptor, 0) == 0 && pwrite(descriptor, wrong, wrong.count, 0) == wrong.count)
        let refused = try await failure { try await PostgresConnection.connect(configuration).close() }
        #expect(refused.sqlState == .invalidPassword)
        #expect(refused.description.contains("; the password is from \(path)"), "\(refused)")
        #expect(!refused.description.contains("wrong-word"))
    }
}

private struct TwoAddresses: Resolver {
    let addresses: [String]

    func resolve(
        host: String, port: Int, family: AddressFamily, timeout: Duration?
    ) async throws -> [ResolvedAddress] {
        addresses.compactMap { ResolvedAddress(numeric: $0, port: port) }
    }
}

/// Where a port is the same for all, the address has to differ.
private func randomAddress() -> String {
    "127.\(Int.random(in: 1...250)).\(Int.random(in: 1...250)).\(Int.random(in: 1...250))"
}

/// Answers one login as a server does that takes nobody.
@ReactorActor
private func refuse(_ listener: Int32, _ state: String) async throws {
    try await reactor.waitUntilReadable(listener)
    let client = accept(listener, nil, nil)
    try #require(client >= 0)
    defer {
        reactor.descriptorWillClose(client)
        close(client)
    }
    try await reactor.waitUntilReadable(client)
    var request = [UInt8](repeating: 0, count: 1024)
    try #require(read(client, &request, request.count) > 0)
    let fields = Array("SFATAL\0VFATAL\0C\(state)\0Mnot now\0\0".utf8)
    let answer = [UInt8(ascii: "E"), 0, 0, 0, UInt8(4 + fields.count)] + fields
    try #require(write(client, answer, answer.count) == answer.count)
}

/// Binds to a port, by default to any that is free, and returns it.
private func bindToFreePort(
    _ descriptor: Int32, _ port: UInt16 = 0, of host: String = "127.0.0.1"
) throws -> Int {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    try #require(inet_pton(AF_INET, host, &address.sin_addr) == 1)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
        // sockaddr is how C spells any socket address.
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) + getsockname(descriptor, $0, &length)
        }
    }
    try #require(result == 0)
    return Int(UInt16(bigEndian: address.sin_port))
}
