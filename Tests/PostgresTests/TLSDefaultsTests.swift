import Testing

@testable import Postgres

@Suite struct TLSDefaultsTests {
    func added(
        _ host: String, address: String? = nil, given: [String: String] = [:],
        _ environment: [String: String] = [:]
    ) -> [String: String] {
        TLSDefaults.settings(host: host, address: address, given: given) { environment[$0] }
    }

    @Test(arguments: ["", "/run/postgresql", "@abstract", "localhost", "db.localhost", "127.0.0.1", "::1"])
    func aHostOnThisMachineIsLeftToLibpq(host: String) {
        #expect(added(host).isEmpty)
    }

    @Test(arguments: ["db.example", "192.0.2.1", "2001:db8::1", "127.0.0.1.example", "localhost.example"])
    func anyOtherHostHasToProveWhoItIs(host: String) {
        #expect(added(host)["sslmode"] == "verify-full")
    }

    @Test func anAddressSaysWhereTheHostReallyIs() {
        #expect(added("db.example", address: "127.0.0.1").isEmpty)
        #expect(added("localhost", address: "192.0.2.1")["sslmode"] == "verify-full")
    }

    @Test func whatIsGivenOrInTheEnvironmentIsNotTouched() {
        #expect(added("db.example", given: ["sslmode": "disable"]).isEmpty)
        #expect(added("db.example", ["PGSSLMODE": "require"]).isEmpty)
        #expect(added("db.example", ["PGREQUIRESSL": "1"]).isEmpty)
        let own = added("db.example", given: ["sslrootcert": "/own.pem"])
        #expect(own == ["sslmode": "verify-full"])
        #expect(added("db.example", ["PGSSLROOTCERT": "/own.pem"]) == ["sslmode": "verify-full"])
    }

    @Test func theSystemsCertificatesAreTakenForVerifyFullOnly() {
        // Debian has them at this place when it has any.
        let full = added("db.example", given: ["sslmode": "verify-full"])
        let authority = added("db.example", given: ["sslmode": "verify-ca"])
        #expect(full["sslmode"] == nil && authority.isEmpty)
    }
}
