import PostgresValues
import Testing

@Suite struct BoolTests {
    @Test(
        arguments: [
            (PostgresFormat.binary, [0], false), (.binary, [1], true), (.text, Array("f".utf8), false),
            (.text, Array("t".utf8), true),
        ] as [(PostgresFormat, [UInt8], Bool)])
    func bothFormsAreRead(format: PostgresFormat, bytes: [UInt8], value: Bool) throws {
        #expect(try decode(Bool.self, .bool, format, bytes) == value)
        #expect(try roundTrip(value) == value)
    }

    @Test(
        arguments: [
            (PostgresFormat.binary, []), (.binary, [2]), (.binary, [0, 1]), (.text, Array("true".utf8)),
            (.text, Array("1".utf8)),
        ] as [(PostgresFormat, [UInt8])])
    func otherBytesAreRefused(format: PostgresFormat, bytes: [UInt8]) {
        #expect(failure(Bool.self, .bool, format, bytes)?.code == .malformed)
    }

    @Test func integersAreNotBooleans() {
        #expect(failure(Bool.self, .int4, .text, Array("1".utf8))?.code == .typeMismatch)
    }
}
