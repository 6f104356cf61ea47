import Testing

@testable import ReactorCore

@Suite struct AddressPreferenceTests {
    private func sorted(_ hosts: [String], _ source: @escaping @Sendable (ResolvedAddress) -> String?)
        -> [String]
    {
        let preference = AddressPreference { address in
            source(address).flatMap { ResolvedAddress(numeric: $0, port: 0) }
        }
        return preference.sorted(hosts.map { ResolvedAddress(numeric: $0, port: 0)! }).map(\.host)
    }

    // RFC 6724, 10.2, as far as the rules implemented go.
    @Test func reachableComesFirst() {
        let order = sorted(["2001:db8::1", "198.51.100.121"]) { $0.isOf(.ipv6) ? nil : "198.51.100.117" }
        #expect(order == ["198.51.100.121", "2001:db8::1"])
    }

    @Test func ownScopeAndNewerFamilyArePreferred() {
        #expect(
            sorted(["198.51.100.121", "2001:db8:1::1"]) {
                $0.isOf(.ipv6) ? "2001:db8:1::2" : "198.51.100.117"
            } == ["2001:db8:1::1", "198.51.100.121"])
        #expect(
            sorted(["2001:db8:1::1", "198.51.100.121"]) { $0.isOf(.ipv6) ? "fe80::1" : "198.51.100.117" }
                == ["198.51.100.121", "2001:db8:1::1"])
        #expect(
            sorted(["2002:c633:6401::1", "2001:db8:1::1"]) { _ in "2002:c633:6401::2" }
                == ["2002:c633:6401::1", "2001:db8:1::1"])
    }

    @Test func equalOnesStayInTheServersOrder() {
        let hosts = ["192.0.2.9", "192.0.2.1", "192.0.2.5"]
        #expect(sorted(hosts) { _ in "192.0.2.77" } == hosts)
    }
}
