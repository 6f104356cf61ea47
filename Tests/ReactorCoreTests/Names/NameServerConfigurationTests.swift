import Testing

@testable import ReactorCore

@Suite struct NameServerConfigurationTests {
    @Test func fileIsReadAsTheSystemReadsIt() {
        let configuration = NameServerConfiguration(
            resolvConf: """
                # a comment
                ; another
                nameserver 192.0.2.1
                nameserver 2001:db8::1
                nameserver nonsense
                nameserver 192.0.2.3
                nameserver 192.0.2.4
                domain old.example
                search One.example. two.example a..b .
                options ndots:3 timeout:2 attempts:4 rotate edns0 use-vc ndots:x unknown
                options timeout
                """)
        #expect(
            configuration.servers.map(\.description) == ["192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.3:53"])
        #expect(configuration.searchDomains == ["one.example", "two.example", ""])
        #expect(configuration.ndots == 3)
        #expect(configuration.timeout == .seconds(2))
        #expect(configuration.attempts == 4)
        #expect(configuration.rotatesServers && configuration.usesEDNS0 && configuration.usesTCPOnly)
        #expect(NameServerConfiguration(resolvConf: "") == NameServerConfiguration())
        let wild = NameServerConfiguration(resolvConf: "options ndots:99 timeout:0 attempts:-3")
        #expect(wild.ndots == 15 && wild.timeout == .seconds(1) && wild.attempts == 1)
    }

    @Test(arguments: [
        ("db", ["db.one.example", "db.two.example", "db"]),
        ("db.", ["db"]),
        ("a.b", ["a.b", "a.b.one.example", "a.b.two.example"]),
        ("a.b.", ["a.b"]),
    ])
    func searchDomainsAreTriedInOrder(_ host: String, _ expected: [String]) throws {
        let configuration = NameServerConfiguration(searchDomains: ["one.example", "two.example"])
        let names = configuration.candidates(for: try HostName(host))
        #expect(names.map(\.description) == expected)
    }
}
