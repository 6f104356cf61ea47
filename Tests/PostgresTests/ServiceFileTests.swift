import Foundation
import Testing

@testable import Postgres

@Suite struct ServiceFileTests {
    let text = """
        # shops
        [shop]
        host=db.example
        port=5433
        host=never
        application_name=a = b

        [other]
          host=elsewhere
        ldap://ldap.example/dc=x
        [broken]
        host db.example
        [unknown]
        hots=db.example
        [shop]
        dbname=second
        """

    func settings(_ service: String) throws -> [String: String]? {
        try ServiceFile.parse(text, service: service, file: "services")
    }

    @Test func aServicesLinesAreItsSettingsAndTheFirstCounts() throws {
        #expect(try settings("shop") == ["host": "db.example", "port": "5433", "application_name": "a = b"])
        #expect(try settings("missing") == nil)
    }

    @Test(arguments: [("other", "10"), ("broken", "12"), ("unknown", "14")])
    func aLineThatIsWrongIsNamed(service: String, line: String) throws {
        let error = try #require(throws: PostgresError.self) { _ = try settings(service) }
        #expect(error.code == .invalidConfiguration && error.description.hasPrefix("services:\(line), "))
    }

    /// The user's file goes before the system's, what is given before both.
    @Test func aConfigurationTakesItsServiceAndGivenSettingsWin() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "services-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let own = directory.appending(path: "own.conf")
        try "[shop]\nhost=own.example\nuser=app\n".write(to: own, atomically: true, encoding: .utf8)
        try "[shop]\nhost=never\n[late]\nhost=system.example\n".write(
            to: directory.appending(path: "pg_service.conf"), atomically: true, encoding: .utf8)
        let environment = ["PGSERVICEFILE": own.path, "PGSYSCONFDIR": directory.path]

        func place(_ text: String, _ service: String? = nil) throws -> String {
            var environment = environment
            environment["PGSERVICE"] = service
            return try PostgresConfiguration(text) { environment[$0] }.redactedDescription
        }
        #expect(try place("service=shop dbname=d") == "postgres://app@own.example:5432/d")
        #expect(try place("service=shop dbname=d user=me") == "postgres://me@own.example:5432/d")
        #expect(try place("dbname=d user=me", "late") == "postgres://me@system.example:5432/d")
        // libpq would fill what the one named leaves out from the one that PGSERVICE names.
        var both = environment
        both["PGSERVICE"] = "late"
        let configuration = try PostgresConfiguration("service=shop dbname=d") { both[$0] }
        #expect(configuration.redactedDescription == "postgres://app@own.example:5432/d")
        let settings = try ConnectionAttempt.all(of: configuration)[0].settings(
            of: configuration, address: "192.0.2.1")
        #expect(settings.contains { $0 == ("service", "shop") })
        let error = try #require(throws: PostgresError.self) { _ = try place("service=absent") }
        #expect(error.description.contains("\"absent\"") && error.description.contains(own.path))
    }
}
