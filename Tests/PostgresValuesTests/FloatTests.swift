import PostgresValues
import Testing

@Suite struct FloatTests {
    static let doubles: [(String, Double)] = [
        ("0", 0), ("-0", -0.0), ("1.5", 1.5), ("0.1", 0.1), ("1e+300", 1e300),
        ("5e-324", .leastNonzeroMagnitude),
        ("1.7976931348623157e+308", .greatestFiniteMagnitude), ("NaN", .nan), ("Infinity", .infinity),
        ("-Infinity", -.infinity),
    ]

    @Test(arguments: doubles)
    func specialValuesAreReadInBothForms(text: String, value: Double) throws {
        let fromText = try decode(Double.self, .float8, text: text)
        let fromBinary = try decode(Double.self, .float8, .binary, big(value.bitPattern))
        if value.isNaN {
            #expect(fromText.isNaN && fromBinary.isNaN)
        } else {
            #expect(fromText == value && fromBinary == value)
            #expect(fromText.sign == value.sign && fromBinary.sign == value.sign)
        }
    }

    @Test func float4ReadsTheSameNumberInBothFormsAlsoAsDouble() throws {
        let float: Float = 0.1
        #expect(try decode(Float.self, .float4, text: "0.1") == float)
        #expect(try decode(Float.self, .float4, .binary, big(float.bitPattern)) == float)
        #expect(try decode(Double.self, .float4, text: "0.1") == Double(float))
        #expect(try decode(Double.self, .float4, .binary, big(float.bitPattern)) == Double(float))
    }

    @Test func digitsAreNotLostSilently() {
        #expect(failure(Float.self, .float8, .text, Array("0.1".utf8))?.suggestedCast == "float4")
        #expect(failure(Double.self, .numeric, .text, Array("0.1".utf8))?.suggestedCast == "float8")
    }

    @Test(arguments: ["", "abc", "1,5", " 1"])
    func malformedTextIsRefused(text: String) {
        #expect(failure(Double.self, .float8, .text, Array(text.utf8))?.code == .malformed)
    }

    @Test func tenThousandRandomBitPatternsComeBack() throws {
        var generator = SeededGenerator(state: 2)
        for _ in 0..<10_000 {
            let double = Double(bitPattern: generator.next())
            let float = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
            #expect(try roundTrip(double).bitPattern == double.bitPattern)
            #expect(try roundTrip(float).bitPattern == float.bitPattern)
            if !double.isNaN {
                #expect(try decode(Double.self, .float8, text: "\(double)") == double)
            }
        }
    }
}
