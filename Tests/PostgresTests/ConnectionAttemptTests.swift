import Testing

@testable import Postgres

@Suite struct ConnectionAttemptTests {
    func attempts(_ text: String) throws -> [ConnectionAttempt] {
        try ConnectionAttempt.all(of: PostgresConfiguration(text))
    }

    @Test func aListOfHostsIsTakenApart() throws {
        let all = try attempts("host=a,b port=1,2")
        #expect(all.map(\.host) == ["a", "b"] && all.map(\.port) == ["1", "2"])
        #expect(try attempts("host=a,b port=7").map(\.port) == ["7", "7"])
    }

    @Test func preferStandbyLooksForAStandbyEverywhereFirst() throws {
        let all = try attempts("host=a,b target_session_attrs=prefer-standby")
        #expect(all.map(\.host) == ["a", "b", "a", "b"])
        #expect(all.map(\.sessionAttributes) == ["standby", "standby", "any", "any"])
    }

    @Test func listsOfDifferentLengthsAreRefused() {
        #expect(throws: PostgresError.self) { try attempts("host=a,b port=1,2,3") }
        #expect(throws: PostgresError.self) {
            try attempts("host=a,b hostaddr=127.0.0.1,127.0.0.2,127.0.0.3")
        }
    }

    /// libpq would go by the whole list where it is given nothing, and look names up itself.
    @Test func anEmptyPlaceInAListIsTheUsualOne() throws {
        let configuration = try PostgresConfiguration("host=a.example,,/run/x port=,7,")
        let all = try ConnectionAttempt.all(of: configuration)
        let settings = all.map {
            Dictionary(uniqueKeysWithValues: $0.settings(of: configuration, address: nil))
        }
        #expect(settings.map { $0["host"] } == ["a.example", "/var/run/postgresql", "/run/x"])
        #expect(settings.map { $0["port"] } == ["5432", "7", "5432"])
    }

    @Test func anEmptyAddressInAListIsNone() throws {
        let configuration = try PostgresConfiguration(
            "host=a.example,b.example, hostaddr=127.0.0.1,,192.0.2.1"
        ) {
            _ in nil
        }
        let all = try ConnectionAttempt.all(of: configuration)
        #expect(all.map(\.needsLookUp) == [false, true, false])
        let settings = all.map { attempt in
            Dictionary(
                uniqueKeysWithValues: attempt.settings(
                    of: configuration, address: attempt.needsLookUp ? "192.0.2.2" : nil))
        }
        #expect(settings.map { $0["hostaddr"] } == ["127.0.0.1", "192.0.2.2", "192.0.2.1"])
        // Not as if it were this machine.
        #expect(settings.map { $0["sslmode"] } == [nil, "verify-full", "verify-full"])
    }

    @Test(arguments: [
        ("host=db.example", true), ("host=/tmp", false), ("host=@abstract", false),
        ("host=db.example hostaddr=127.0.0.1", false),
    ])
    func onlyNamesWithoutAddressAreLookedUp(text: String, expected: Bool) throws {
        #expect(try attempts(text)[0].needsLookUp == expected)
    }

    @Test func theNameStaysBesideTheAddressForTLSAndPasswordFiles() throws {
        let configuration = try PostgresConfiguration("host=db.example password=x connect_timeout=5")
        let settings = Dictionary(
            uniqueKeysWithValues: try attempts("host=db.example")[0].settings(
                of: configuration, address: "192.0.2.1"))
        #expect(settings["host"] == "db.example" && settings["hostaddr"] == "192.0.2.1")
        #expect(settings["client_encoding"] == "UTF8" && settings["connect_timeout"] == nil)
    }

    @Test(arguments: [
        ("host=db.example", [:], "disable"), ("host=db.example gssencmode=prefer", [:], "prefer"),
        ("host=db.example", ["PGGSSENCMODE": "require"], nil),
        ("host=127.0.0.1", [:], "disable"),
    ])
    func kerberosIsNotAskedForEncryptionUnlessTheUserWantsIt(
        text: String, environment: [String: String], expected: String?
    ) throws {
        let configuration = try PostgresConfiguration(text) { environment[$0] }
        let attempt = try ConnectionAttempt.all(of: configuration)[0]
        let given = attempt.settings(of: configuration, address: "192.0.2.1").filter { $0.0 == "gssencmode" }
        #expect(given.map(\.1) == (expected.map { [$0] } ?? []))
    }
}
