import FoundationEssentials
import PostgresValues
import Testing

@Suite struct PostgresNumericTests {
    @Test(arguments: [
        "0", "0.00", "1", "-1", "1.10", "10000", "9999", "100000000", "0.0001", "0.00001",
        "-0.000000000012300",
        "123456789012345678901234567890.123456789", "NaN", "Infinity", "-Infinity", "99999999.99990000",
        "170141183460469231731687303715884105727", "0.1", "1000.0001",
    ])
    func everyFormIsExact(text: String) throws {
        try checkAllForms(try #require(PostgresNumeric(text)), text)
    }

    @Test func theLongestNumbersGoBothWays() throws {
        let whole = String(repeating: "9", count: 131_072)
        let fraction = "0." + String(repeating: "7", count: 16_383)
        for text in [whole, "-" + whole, fraction] {
            let value = try #require(PostgresNumeric(text))
            #expect(value.description == text)
            #expect(try roundTrip(value).description == text)
        }
        #expect(PostgresNumeric("1" + whole) == nil)
        #expect(PostgresNumeric(fraction + "0") == nil)
        #expect(PostgresNumeric("1e131071") != nil)
        #expect(PostgresNumeric("1e131072") == nil)
        #expect(PostgresNumeric("1e-16383") != nil)
        #expect(PostgresNumeric("1e-16384") == nil)
    }

    @Test(arguments: [
        ("1e3", "1000"), ("1.5e1", "15"), ("-1.5E-3", "-0.0015"), ("+7", "7"), (".5", "0.5"), ("5.", "5"),
        ("-0", "0"), ("-0.0", "0.0"), ("00012", "12"), ("nan", "NaN"), ("inf", "Infinity"),
        ("-INF", "-Infinity"),
        ("0e5", "0"), ("0.000e1", "0.00"), ("000001.2300", "1.2300"),
    ])
    func otherSpellingsAreRead(text: String, canonical: String) {
        #expect(PostgresNumeric(text)?.description == canonical)
    }

    @Test func otherTextsAreNoNumbers() {
        checkRefused(
            PostgresNumeric.self,
            ["", ".", "-", "1e", "1e+", "e5", "1.2.3", "1 ", " 1", "0x10", "1_000", "١", "1e9999999"])
    }

    @Test func binaryIsThatOfTheServer() throws {
        // SELECT numeric_send(-12345.6780)
        let expected =
            big(Int16(3)) + big(Int16(1)) + big(UInt16(0x4000)) + big(Int16(4))
            + big(Int16(1)) + big(Int16(2345)) + big(Int16(6780))
        #expect(try PostgresNumeric("-12345.6780")?.postgresParameter().bytes == expected)
        #expect(try PostgresNumeric.nan.postgresParameter().bytes == big(UInt64(0xC000) << 16))
        #expect(try PostgresNumeric.infinity.postgresParameter().bytes == big(UInt64(0xD000) << 16))
        #expect(try PostgresNumeric.negativeInfinity.postgresParameter().bytes == big(UInt64(0xF000) << 16))
    }

    @Test(arguments: [
        big(Int16(1)) + big(Int16(0)) + big(UInt16(0)) + big(Int16(0)) + big(Int16(10_000)),
        big(Int16(0)) + big(Int16(0)) + big(UInt16(0x1234)) + big(Int16(0)),
        big(Int16(0)) + big(Int16(0)) + big(UInt16(0)) + big(Int16(-1)),
    ])
    func impossibleBinaryIsRefused(bytes: [UInt8]) {
        #expect(failure(PostgresNumeric.self, .numeric, .binary, bytes)?.code == .malformed)
    }

    @Test func orderIsPostgreSQLs() throws {
        let texts = [
            "-Infinity", "-100000", "-1.5", "-1.4", "-0.0001", "0", "0.00009", "0.0001", "1", "1.0001", "1.5",
            "2",
            "9999", "10000", "10000.1", "Infinity", "NaN",
        ]
        let sorted = try texts.map { try #require(PostgresNumeric($0)) }
        #expect(sorted.shuffled().sorted() == sorted)
        #expect(PostgresNumeric.nan == .nan && !(PostgresNumeric.nan < .nan))
        #expect(PostgresNumeric("1.10") == PostgresNumeric("1.1"))
        #expect(PostgresNumeric("1.10")?.hashValue == PostgresNumeric("1.1")?.hashValue)
        #expect(PostgresNumeric("1.10")?.scale == 2)
    }

    @Test func integersOfEveryWidthGoBothWays() {
        func check<I: FixedWidthInteger>(_: I.Type) {
            for value in [I.min, I.max, 0, 1, I.max / 3] {
                let number = PostgresNumeric(value)
                #expect(number.description == "\(value)")
                #expect(I(exactly: number) == value)
            }
            #expect(I(exactly: PostgresNumeric("1e60")!) == nil)
            #expect(I(exactly: PostgresNumeric("0.5")!) == nil)
        }
        check(Int8.self)
        check(UInt8.self)
        check(Int16.self)
        check(Int32.self)
        check(Int64.self)
        check(UInt64.self)
        check(Int128.self)
        check(UInt128.self)
        #expect(Int8(exactly: PostgresNumeric(128)) == nil)
        #expect(Int8(exactly: PostgresNumeric(-128)) == -128)
        #expect(UInt8(exactly: PostgresNumeric(-1)) == nil)
        #expect(Int(exactly: PostgresNumeric.nan) == nil)
        #expect(Int(exactly: PostgresNumeric("5.00")!) == 5)
    }

    @Test func literalsHaveAnySize() {
        let large: PostgresNumeric = 340_282_366_920_938_463_463_374_607_431_768_211_456
        #expect(large.description == "340282366920938463463374607431768211456")
        let negative: PostgresNumeric = -10_000
        #expect(negative.description == "-10000")
        #expect((0 as PostgresNumeric).signum == 0)
        let minimum: PostgresNumeric = -9_223_372_036_854_775_808
        #expect(minimum.description == "-9223372036854775808")
        #expect(-PostgresNumeric.infinity == .negativeInfinity && (-negative).description == "10000")
    }

    @Test func decimalConversionIsExactOrAnError() throws {
        for text in [
            "0", "1.1", "-123.456", "99999999999999999999999999999999999999", "0.0000000000000000001",
        ] {
            let number = try #require(PostgresNumeric(text))
            #expect(PostgresNumeric(try Decimal(exactly: number)) == number)
        }
        #expect(try Decimal(exactly: PostgresNumeric("1.10")!) == Decimal(string: "1.1"))
        #expect(try Decimal(exactly: .nan).isNaN)
        #expect(PostgresNumeric(Decimal.nan).isNaN)
        for text in [String(repeating: "9", count: 45), "1e200", "1e-200", "Infinity", "-Infinity"] {
            #expect(throws: PostgresValueError.self) {
                try Decimal(exactly: try #require(PostgresNumeric(text)))
            }
        }
        #expect(
            failure(Decimal.self, .numeric, .text, Array(String(repeating: "9", count: 45).utf8))?.code
                == .outOfRange)
        #expect(try roundTrip(Decimal(string: "-12.5")!) == Decimal(string: "-12.5")!)
        #expect(PostgresNumeric(Decimal.greatestFiniteMagnitude).isFinite)
        #expect(PostgresNumeric(Decimal.leastNonzeroMagnitude).signum == 1)
    }

    @Test func unsignedIntegersAreNumeric() throws {
        for value in [UInt64.min, 1, .max] {
            #expect(try roundTrip(value) == value)
        }
        #expect(try UInt64.max.postgresParameter().oid == .numeric)
        #expect(try decode(UInt64.self, .int8, text: "7") == 7)
        #expect(
            failure(UInt64.self, .numeric, .text, Array("18446744073709551616".utf8))?.code == .outOfRange)
        #expect(failure(UInt64.self, .numeric, .text, Array("-1".utf8))?.code == .outOfRange)
        #expect(try roundTrip([UInt64.max, 0]) == [.max, 0])
    }
}
