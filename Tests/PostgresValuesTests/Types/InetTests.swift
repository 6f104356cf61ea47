import PostgresValues
import Testing

@Suite struct InetTests {
    @Test(arguments: [
        "0.0.0.0", "192.168.0.1", "192.168.0.1/24", "255.255.255.255", "10.0.0.1/0", "::", "::1", "::/0",
        "1::",
        "2001:db8::1", "2001:db8::1/64", "fe80::1:0:0:1", "::ffff:1.2.3.4", "::1.2.3.4", "1:2:3:4:5:6:7:8",
        "1:0:3:4:5:6:7:8", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "0:1::", "1::8",
    ])
    func everyFormIsExact(text: String) throws {
        try checkAllForms(try #require(Inet(text)), text)
    }

    @Test(arguments: ["10.0.0.0/8", "0.0.0.0/0", "192.168.1.1/32", "2001:db8::/32", "::/0", "::1/128"])
    func networksAreCIDR(text: String) throws {
        let value = try #require(Inet(cidr: text))
        #expect(value.description == text && value.isNetwork)
        let bound = try value.postgresParameter()
        #expect(bound.oid == .cidr)
        #expect(try roundTrip(value) == value)
        #expect(try decode(Inet.self, .cidr, text: text) == value)
        #expect(try [value].postgresParameter().oid == .cidrArray)
        #expect(try roundTrip([value, nil]) == [value, nil])
    }

    @Test func hostBitsAreKeptInInetAndRefusedInCIDR() {
        #expect(Inet("192.168.0.1/24")?.address == [192, 168, 0, 1])
        #expect(Inet(cidr: "192.168.0.1/24") == nil)
        #expect(Inet(cidr: "2001:db8::1/127") == nil)
    }

    @Test func hostsAndNetworksMixInText() throws {
        let mixed = [try #require(Inet("1.2.3.4")), try #require(Inet(cidr: "10.0.0.0/8"))]
        let bound = try mixed.postgresParameter()
        #expect(bound.oid == .inferred && bound.format == .text)
        #expect(String(decoding: bound.bytes ?? [], as: UTF8.self) == #"{"1.2.3.4","10.0.0.0/8"}"#)
    }

    @Test func otherTextsAreNoAddresses() {
        checkRefused(
            Inet.self,
            [
                "", "1.2.3", "1.2.3.256", "1.2.3.4.5", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/-1", "1.2.3.4/+1",
                ":", ":::",
                "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::12345", "::g", "::/129", "1.2.3.4::",
                "1:2:3:4:5:6:7:8::", "::1.2.3.4:5", "fe80::1%eth0",
            ])
    }

    @Test func damagedBinaryIsRefused() {
        for bytes in [
            [2, 24, 0, 16] + [UInt8](repeating: 0, count: 16), [2, 33, 0, 4, 1, 2, 3, 4],
            [9, 0, 0, 4, 1, 2, 3, 4],
        ] {
            #expect(failure(Inet.self, .inet, .binary, bytes)?.code == .malformed)
        }
    }

    @Test func orderIsPostgreSQLs() throws {
        let sorted = try ["1.2.3.0/24", "1.2.3.0/25", "1.2.3.0", "1.2.3.4", "1.2.4.0/24", "::", "::1", "1::"]
            .map {
                try #require(Inet($0))
            }
        #expect(sorted.shuffled().sorted() == sorted)
    }
}

@Suite struct MACAddressTests {
    @Test(arguments: ["08:00:2b:01:02:03", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"])
    func everyFormIsExact(text: String) throws {
        let value = try #require(MACAddress(text))
        #expect(value.description == text && MACAddress(text.uppercased()) == value)
        #expect(try roundTrip(value) == value)
        let long = try #require(MACAddress(text + ":0a:0b"))
        #expect(try long.postgresParameter().oid == .macaddr8)
        #expect(try roundTrip(long) == long)
        #expect(try [long].postgresParameter().oid == .macaddr8Array)
        #expect(try roundTrip([long]) == [long])
        #expect(value < long)
    }

    @Test func otherTextsAreNoAddresses() {
        checkRefused(
            MACAddress.self,
            ["", "08:00:2b:01:02", "08002b:010203", "8:0:2b:1:2:3", "08:00:2b:01:02:0g", "::::::"])
    }
}
