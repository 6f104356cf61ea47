import Foundation
import LocalPostgres
import Testing

@testable import Postgres

@Suite struct PostgresSQLStateTests {
    /// Codes that came with a minor version, which the server here may not have yet.
    private static let laterCodes: Set = ["22P07"]

    /// Debian's server packages bring the list from which PostgreSQL's documentation of the codes is made.
    @Test func theConstantsAreThoseOfTheServersList() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/Postgres/Errors/SQLStates")
        let files = try FileManager.default.contentsOfDirectory(at: sources, includingPropertiesForKeys: nil)
        let constants = try files.map { try String(contentsOf: $0, encoding: .utf8) }.joined()
            .matches(of: /Self\(rawValue: "(\w{5})"\)/).map { String($0.1) }
        #expect(constants.count > 240)

        let shares = URL(filePath: "/usr/share/postgresql")
        let versions = try FileManager.default.contentsOfDirectory(atPath: shares.path).compactMap { Int($0) }
        #expect(!versions.isEmpty)
        for version in versions {
            let list = try String(
                contentsOf: shares.appending(path: "\(version)/errcodes.txt"), encoding: .utf8)
            let codes = list.split(separator: "\n").filter { !$0.hasPrefix("#") && !$0.hasPrefix("Section:") }
                .map { $0.split(separator: " ") }.filter { $0.count == 4 }.map { String($0[0]) }
            #expect(Set(constants).subtracting(codes).subtracting(Self.laterCodes).isEmpty)
            // Later versions may know more.
            if version <= 15 { #expect(Set(codes).subtracting(constants).isEmpty) }
        }
    }

    @Test func aCodeKnowsItsClass() {
        #expect(PostgresSQLState.uniqueViolation.classCode == "23")
        #expect(PostgresSQLState(rawValue: "ZZ123").description == "ZZ123")
    }
}
