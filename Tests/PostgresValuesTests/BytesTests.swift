import FoundationEssentials
import PostgresValues
import Testing

@Suite struct BytesTests {
    static let all = (0...255).map { UInt8($0) }

    @Test(
        arguments: [
            ("\\x", []), ("\\x00ff", [0, 255]), ("\\xDEADbeef", [0xde, 0xad, 0xbe, 0xef]), ("", []),
            ("abc", [97, 98, 99]), ("\\000\\377", [0, 255]), ("a\\\\b", [97, 92, 98]), ("\\134x", [92, 120]),
        ] as [(String, [UInt8])])
    func hexAndEscapeFormsAreRead(text: String, bytes: [UInt8]) throws {
        #expect(try decode([UInt8].self, .bytea, text: text) == bytes)
    }

    @Test(arguments: ["\\x0", "\\x0g", "\\", "\\1", "\\12", "\\400", "\\888"])
    func malformedTextIsRefused(text: String) {
        #expect(failure([UInt8].self, .bytea, .text, Array(text.utf8))?.code == .malformed)
    }

    @Test func everyByteComesBack() throws {
        #expect(try roundTrip(Self.all) == Self.all)
        #expect(try roundTrip(Data(Self.all)) == Data(Self.all))
        #expect(try roundTrip([UInt8]()) == [])
        #expect(try Self.all.postgresParameter() == .init(oid: .bytea, format: .binary, bytes: Self.all))
    }

    @Test func missingBytesAreANullBytea() throws {
        #expect(try [UInt8]?.none.postgresParameter() == .null(.bytea))
        #expect(try decode([UInt8]?.self, .bytea, .text, nil) == nil)
    }
}
