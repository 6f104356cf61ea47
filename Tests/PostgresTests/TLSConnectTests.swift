import Foundation
import LocalPostgres
import PostgresValues
import ReactorCore
import ReactorTesting
import TestCertificates
import Testing

@testable import Postgres

@Suite struct TLSConnectTests {
    /// Knows one name.
    struct OneName: Resolver {
        let address: String

        func resolve(
            host: String, port: Int, family: AddressFamily, timeout: Duration?
        ) async throws -> [ResolvedAddress] {
            ResolvedAddress(numeric: address, port: port).map { [$0] } ?? []
        }
    }

    /// A server with TLS on an address of its own, and the file with its certificate. Its host goes by the name `db.example`.
    func withServer(
        names: String,
        _ body: @escaping @Sendable @ReactorActor (PostgresConfiguration, String) async throws -> Void
    ) async throws {
        // The port is the same for all clusters, so the address has to differ.
        let address = "127.\(Int.random(in: 1...250)).\(Int.random(in: 1...250)).\(Int.random(in: 1...250))"
        let certificate = TestCertificate(names: names)
        let cluster = try LocalCluster.temporary(
            listeningOn: address,
            files: [
                "pg_hba.conf": "local all all trust\nhost all app all scram-sha-256\n",
                "server.crt": try String(contentsOfFile: certificate.certificateFile, encoding: .utf8),
                "server.key": try String(contentsOfFile: certificate.keyFile, encoding: .utf8),
            ], settings: ["ssl": "on"])
        defer { cluster.stop() }
        let password = "\(UInt64.random(in: 0 ... .max))"
        try await withReactor { (reactor) async throws in
            let admin = try await PostgresConnection.connect(PostgresConfiguration(cluster.url))
            try await admin.script("CREATE ROLE app LOGIN PASSWORD '\(password)'")
            await admin.close()
            reactor.installResolver(OneName(address: address))
            var configuration = try PostgresConfiguration("host=db.example user=app dbname=postgres")
            configuration["password"] = password
            try await body(configuration, certificate.certificateFile)
        }
    }

    @Test func aHostElsewhereIsVerifiedByDefaultAndTheConnectionSaysHowItIsEncrypted() async throws {
        try await withServer(names: "DNS:db.example") { (configuration, certificate) async throws in
            var configuration = configuration
            configuration["sslrootcert"] = certificate
            let connection = try await PostgresConnection.connect(configuration)
            let tls = try #require(connection.tls)
            #expect(
                tls.version.hasPrefix("TLSv1.") && tls.keyBits >= 128 && tls.description.contains(tls.cipher))
            #expect(try await connection.one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
            await connection.close()

            // The system trusts nobody who signed that.
            configuration["sslrootcert"] = nil
            let error = try await failure { _ = try await PostgresConnection.connect(configuration) }
            #expect(error.code == .connectFailed && error.description.contains("sslmode says otherwise"))

            configuration["sslmode"] = "disable"
            let plain = try await PostgresConnection.connect(configuration)
            #expect(plain.tls == nil)
            await plain.close()
        }
    }

    @Test func aCertificateForAnotherNameIsRefused() async throws {
        try await withServer(names: "DNS:other.example") { (configuration, certificate) async throws in
            var configuration = configuration
            configuration["sslrootcert"] = certificate
            let error = try await failure { _ = try await PostgresConnection.connect(configuration) }
            #expect(error.code == .connectFailed && error.description.contains("other.example"))
            configuration["sslmode"] = "verify-ca"
            let connection = try await PostgresConnection.connect(configuration)
            #expect(connection.tls != nil)
            await connection.close()
        }
    }
}
