import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct HostNameTests {
    @Test(arguments: [
        ("", "empty"), ("a..b", "empty"), (".a", "empty"), ("a..", "empty"),
        (String(repeating: "x", count: 64) + ".example", "not 64"),
        (Array(repeating: "abcdefg", count: 32).joined(separator: "."), "253"),
        ("no such host", "\" \""), ("a\0b", "\"\\0\""), ("a/b", "\"/\""),
        ("bücher.example", "xn--"), ("[::1]", "without brackets"), ("example.com:80", "port"),
        ("fe80::1%no-such-interface", "IPv6"),
    ])
    func nameThatCannotExistIsRefusedWithTheReason(_ host: String, _ reason: String) {
        let error = #expect(throws: ReactorError.self) { try HostName(host) }
        #expect(error?.code == .nameNotFound)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains(String(reflecting: host)) == true)
    }

    @Test(arguments: [
        ("Example.COM", "example.com"), ("example.com.", "example.com"), ("my_service", "my_service"),
        (String(repeating: "x", count: 63), String(repeating: "x", count: 63)),
    ])
    func nameIsComparedInLowerCaseWithoutItsDot(_ host: String, _ canonical: String) throws {
        let name = try HostName(host)
        #expect(name.canonical == canonical && name.text == host)
    }

    @Test(arguments: ["localhost", "LocalHost.", "db.localhost", "a.b.localhost."])
    func namesBelowLocalhostMeanThisMachine(_ host: String) throws {
        #expect(try HostName(host).isLocalhost)
    }

    @Test(arguments: ["localhost.example", "notlocalhost", "localhost.localdomain"])
    func otherNamesDoNot(_ host: String) throws { #expect(try !HostName(host).isLocalhost) }
}

@Suite struct HostsTableTests {
    private static let text = """
        # a comment
        192.0.2.1\tdb.example  DB # the database
        2001:db8::1 db.example.\r
        192.0.2.2 db
        192.0.2.1 db
           192.0.2.3   spaced
        nonsense line
        192.0.2.4
        fe80::1%lo linked
        """

    @Test(arguments: [
        ("db.example", ["192.0.2.1", "2001:db8::1"]), ("db", ["192.0.2.1", "192.0.2.2"]),
        ("spaced", ["192.0.2.3"]), ("linked", ["fe80::1%lo"]), ("line", []), ("comment", []),
        ("database", []), ("192.0.2.4", []),
    ])
    func addressesComeInTheOrderOfTheLines(_ name: String, _ expected: [String]) {
        #expect(HostsTable(Self.text).addresses(of: name, .any).map(\.host) == expected)
    }

    @Test func familyIsAFilter() {
        let table = HostsTable(Self.text)
        #expect(table.addresses(of: "db.example", .ipv4).map(\.host) == ["192.0.2.1"])
        #expect(table.addresses(of: "db.example", .ipv6).map(\.host) == ["2001:db8::1"])
        #expect(table.addresses(of: "db", .ipv6).isEmpty)
    }

    /// Whatever bytes a file has, reading it ends, and a good line among them is found.
    @Test func randomBytesDoNoHarm() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let noise = (0..<200).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let text = String(decoding: noise, as: UTF8.self) + "\n192.0.2.9 good\n"
            #expect(
                HostsTable(text).addresses(of: "good", .any).map(\.host).last == "192.0.2.9", "seed \(seed)")
        }
    }
}
