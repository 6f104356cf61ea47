import PostgresValues
import Testing

@Suite struct IntegerTests {
    /// Column type, bytes in binary, text, value.
    static let cells: [(PostgresTypeOID, [UInt8], String, Int64)] = [
        (.int2, big(Int16.min), "-32768", -32768),
        (.int2, big(Int16(-1)), "-1", -1),
        (.int2, big(Int16.max), "32767", 32767),
        (.int4, big(Int32.min), "-2147483648", -2_147_483_648),
        (.int4, big(Int32(0)), "0", 0),
        (.int4, big(Int32.max), "2147483647", 2_147_483_647),
        (.int8, big(Int64.min), "-9223372036854775808", .min),
        (.int8, big(Int64(42)), "42", 42),
        (.int8, big(Int64.max), "9223372036854775807", .max),
        (.oid, big(UInt32.max), "4294967295", 4_294_967_295),
        (.oid, big(UInt32(0)), "0", 0),
    ]

    @Test(arguments: cells)
    func everyWidthReadsEveryWidthOrThrows(
        oid: PostgresTypeOID, binary: [UInt8], text: String, value: Int64
    ) throws {
        func check<I: FixedWidthInteger & PostgresDecodable>(_: I.Type) throws {
            for (format, bytes) in [(PostgresFormat.binary, binary), (.text, Array(text.utf8))] {
                if let expected = I(exactly: value) {
                    #expect(try decode(I.self, oid, format, bytes) == expected)
                } else {
                    #expect(failure(I.self, oid, format, bytes)?.code == .outOfRange)
                }
            }
        }
        try check(Int16.self)
        try check(Int32.self)
        try check(Int64.self)
        try check(Int.self)
        try check(UInt32.self)
        try check(UInt8.self)
    }

    @Test(arguments: [
        "", "-", "+1", " 1", "1 ", "1.0", "0x10", "1e3", "١", "9223372036854775808",
        "-9223372036854775809", "99999999999999999999999",
    ])
    func malformedTextIsRefused(text: String) {
        #expect(failure(Int.self, .int8, .text, Array(text.utf8))?.code == .malformed)
    }

    @Test(arguments: [0, 1, 3, 4, 7, 9])
    func wrongLengthIsRefused(length: Int) {
        #expect(
            failure(Int.self, .int8, .binary, Array(repeating: 0, count: length))?.code == .malformed)
    }

    @Test(arguments: [PostgresTypeOID.numeric, .text, .float8, .bool, .timestamptz, .unknown])
    func otherTypesAreRefusedWithACast(oid: PostgresTypeOID) throws {
        let error = try #require(failure(Int.self, oid, .text, Array("1".utf8)))
        #expect(error.code == .typeMismatch)
        #expect(error.description.contains("\"value\"::int8"))
    }

    @Test func eachIsBoundAsItsOwnTypeAndIntAsInt8() throws {
        #expect(
            Int16(-2).postgresParameter() == .init(oid: .int2, format: .binary, bytes: [0xff, 0xfe]))
        #expect(Int32(1).postgresParameter() == .init(oid: .int4, format: .binary, bytes: [0, 0, 0, 1]))
        #expect(
            Int(1).postgresParameter() == .init(oid: .int8, format: .binary, bytes: [0, 0, 0, 0, 0, 0, 0, 1]))
        #expect(UInt32.max.postgresParameter() == .init(oid: .oid, format: .binary, bytes: big(UInt32.max)))
        #expect(Int64.postgresNull == .null(.int8))
    }

    @Test func tenThousandRandomValuesComeBack() throws {
        var generator = SeededGenerator(state: 1)
        for _ in 0..<10_000 {
            let wide =
                Int64.random(in: .min ... .max, using: &generator)
                >> Int64.random(in: 0..<64, using: &generator)
            #expect(try roundTrip(wide) == wide)
            #expect(try roundTrip(Int(wide)) == Int(wide))
            #expect(try decode(Int64.self, .int8, text: "\(wide)") == wide)
            let (four, two) = (Int32(truncatingIfNeeded: wide), Int16(truncatingIfNeeded: wide))
            #expect(try roundTrip(four) == four)
            #expect(try roundTrip(two) == two)
        }
    }
}
