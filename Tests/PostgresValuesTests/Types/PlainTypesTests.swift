import PostgresValues
import Testing

@Suite struct BitStringTests {
    @Test(arguments: ["", "0", "1", "01101", "11111111", "111111110", "0000000000000001"])
    func everyFormIsExact(text: String) throws {
        try checkAllForms(try #require(BitString(text)), text)
        #expect(try decode(BitString.self, .bit, text: text).count == text.count)
    }

    @Test func bitsPastTheEndAreCleared() throws {
        let value = try #require(BitString(bytes: [0xFF], count: 3))
        #expect(value == BitString("111") && value.bytes == [0xE0] && value[2])
        #expect(BitString(bytes: [0xFF], count: 9) == nil)
        #expect(BitString(bytes: [], count: -1) == nil)
        #expect(failure(BitString.self, .varbit, .binary, big(Int32(-1)))?.code == .malformed)
        checkRefused(BitString.self, ["2", "0b1", " "])
    }

    @Test func theShorterOfEqualBeginningsIsFirst() {
        let sorted = ["", "0", "00", "01", "1", "10"].map { BitString($0)! }
        #expect(sorted.reversed().sorted() == sorted)
    }
}

@Suite struct LogSequenceNumberTests {
    @Test(arguments: ["0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF"])
    func everyFormIsExact(text: String) throws {
        try checkAllForms(try #require(LogSequenceNumber(text)), text)
    }

    @Test func otherTextsAreNoPlaces() {
        checkRefused(LogSequenceNumber.self, ["", "0", "/", "1/", "1/2/3", "G/0", "100000000/0", "+1/0"])
    }
}

@Suite struct HStoreTests {
    @Test func everyFormIsExact() throws {
        try checkAllForms([:] as HStore, "")
        try checkAllForms(
            ["b": "1", "a": nil, "long\"key\\": "a, b=>c", "": ""] as HStore,
            #"""=>"", "a"=>NULL, "b"=>"1", "long\"key\\"=>"a, b=>c""#)
    }

    @Test func binaryGoesBothWays() throws {
        let store: HStore = ["a": nil, "é": "ü"]
        var bytes: [UInt8] = []
        store.appendBinary(to: &bytes)
        #expect(try decode(HStore.self, PostgresTypeOID(rawValue: 20_000), .binary, bytes) == store)
        bytes.removeLast()
        #expect(failure(HStore.self, PostgresTypeOID(rawValue: 20_000), .binary, bytes)?.code == .malformed)
    }

    @Test func keysAreFoundAndTakenAway() {
        var store: HStore = ["a": nil]
        store["b"] = "1"
        #expect(store["a"] == nil && store["b"] == "1" && store.pairs.keys.contains("a"))
        store["a"] = nil
        #expect(!store.pairs.keys.contains("a"))
        checkRefused(
            HStore.self, ["a=>b", "\"a\"", "\"a\"=>", "\"a\"=>\"b", "\"a\"=>\"b\",", "\"a\"=>\"b\" "])
    }
}

@Suite struct TextDocumentTests {
    @Test func textsPassThrough() throws {
        try checkAllForms(PostgresXML("<a b=\"c\"/>"), "<a b=\"c\"/>")
        try checkAllForms(TSVector("'brown':2 'fox':3A"), "'brown':2 'fox':3A")
        try checkAllForms(TSQuery("'fox' & !'dog'"), "'fox' & !'dog'")
        try checkAllForms(PostgresMoney("$1,234.50"), "$1,234.50")
        try checkAllForms(LTree("Top.Science"), "Top.Science")
        #expect(LTree(labels: ["a", "b"]).labels == ["a", "b"])
    }

    @Test func moneyIsNotReadInBinary() {
        #expect(failure(PostgresMoney.self, .money, .binary, big(Int64(1)))?.code == .typeMismatch)
        #expect(!PostgresTypeOID.money.hasBinaryDecoder)
    }

    @Test func textThatIsNotUTF8IsAnError() {
        #expect(failure(PostgresXML.self, .xml, .text, [0xFF])?.code == .invalidUTF8)
    }
}

@Suite struct PostgresRawValueTests {
    @Test func everyTypePassesThrough() throws {
        let oid = PostgresTypeOID(rawValue: 99_999)
        let value = try decode(PostgresRawValue.self, oid, .binary, [0, 255])
        #expect(value == PostgresRawValue(oid: oid, bytes: [0, 255], format: .binary))
        #expect(value.postgresParameter() == PostgresParameter(oid: oid, format: .binary, bytes: [0, 255]))
        #expect(value.text == nil)
        #expect(try decode(PostgresRawValue?.self, oid, .text, nil) == nil)
        #expect(failure(PostgresRawValue.self, oid, .text, nil)?.code == .unexpectedNull)
        #expect(try decode(PostgresRawValue.self, .int4, text: "7").decode(Int.self) == 7)
        #expect(PostgresRawValue(oid: .text, bytes: [0xFF], format: .text).text == nil)
    }

    @Test func unknownTypesAreErrorsThatTellTheNumberAndTheCast() {
        let error = failure(Int.self, PostgresTypeOID(rawValue: 99_999), .text, Array("7".utf8))
        #expect(
            error?.description
                == "rows[0], column \"value\": cannot read OID 99999 as Int; cast it in the query: \"value\"::int8"
        )
    }
}
