import PostgresValues
import Testing

@Suite struct StringTests {
    static let texts = ["", "a", "'; DROP TABLE x; --", "naïve Ünïcode 🦉", "\\ \" \n\t\u{1}", "e\u{301}"]

    @Test(arguments: texts)
    func textTypesAreReadInBothForms(text: String) throws {
        for oid in [PostgresTypeOID.text, .varchar, .bpchar, .name, .json, .xml, .unknown] {
            for format in [PostgresFormat.text, .binary] {
                let read = try decode(String.self, oid, format, Array(text.utf8))
                #expect(Array(read.unicodeScalars) == Array(text.unicodeScalars))
            }
        }
    }

    @Test func charIsReadWithItsPadding() throws {
        #expect(try decode(String.self, .bpchar, text: "ab   ") == "ab   ")
    }

    @Test func jsonbInBinaryLosesItsVersionByte() throws {
        #expect(try decode(String.self, .jsonb, .binary, [1] + Array("{}".utf8)) == "{}")
        #expect(try decode(String.self, .jsonb, text: "{}") == "{}")
        #expect(failure(String.self, .jsonb, .binary, [2] + Array("{}".utf8))?.code == .malformed)
    }

    @Test(arguments: [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80]] as [[UInt8]])
    func invalidUTF8IsAnErrorNotAReplacementCharacter(bytes: [UInt8]) {
        #expect(failure(String.self, .text, .text, bytes)?.code == .invalidUTF8)
        #expect(failure(String.self, .text, .binary, bytes)?.code == .invalidUTF8)
    }

    @Test func enumLabelsOfTheDatabaseAreReadAsText() throws {
        #expect(try decode(String.self, PostgresTypeOID(rawValue: 16402), text: "pg") == "pg")
    }

    @Test func numbersAreNotText() {
        #expect(failure(String.self, .int4, .text, Array("1".utf8))?.suggestedCast == "text")
    }

    @Test func textIsBoundWithoutAType() throws {
        #expect(
            try "né".postgresParameter()
                == .init(oid: .inferred, format: .text, bytes: [0x6e, 0xc3, 0xa9]))
    }

    @Test func nulIsRefusedBeforeItIsSent() {
        #expect { try "a\0".postgresParameter() } throws: {
            ($0 as? PostgresValueError)?.code == .nulCharacter
        }
    }

    @Test func theEmptyCharIsAZeroInBinary() throws {
        #expect(try decode(String.self, .char, .binary, [0]) == "")
        #expect(try decode(String.self, .char, .binary, Array("a".utf8)) == "a")
        #expect(try decode(String.self, .char, .text, []) == "")
    }
}
