import PostgresValues
import Testing

private struct Price: PostgresComposite, Hashable {
    var amount: PostgresNumeric
    var currency: String?
    var tags: [String]

    init(amount: PostgresNumeric, currency: String?, tags: [String] = []) {
        self.amount = amount
        self.currency = currency
        self.tags = tags
    }

    init(attributes: inout PostgresAttributes) throws {
        amount = try attributes.next()
        currency = try attributes.next()
        tags = try attributes.next()
    }

    var attributes: [any PostgresEncodable] { [amount, currency, tags] }
}

private let oid = PostgresTypeOID(rawValue: 20_000)

@Suite struct PostgresCompositeTests {
    @Test func textGoesBothWays() throws {
        for price in [
            Price(amount: 1, currency: "EUR"), Price(amount: 1, currency: nil, tags: ["a b", "c\"d\\"]),
            Price(amount: .nan, currency: ""), Price(amount: 0, currency: "(a,b) \"c\" \\"),
        ] {
            let bound = try price.postgresParameter()
            #expect(bound.oid == .inferred)
            #expect(try decode(Price.self, oid, .text, bound.bytes) == price)
            let list = try [price, nil].postgresParameter()
            #expect(try decode([Price?].self, oid, .text, list.bytes) == [price, nil])
        }
        let bound = try Price(amount: 1, currency: nil, tags: []).postgresParameter()
        #expect(String(decoding: bound.bytes ?? [], as: UTF8.self) == "(1,,{})")
    }

    @Test func binaryRecordsTellTheirTypes() throws {
        func attribute(_ parameter: PostgresParameter) -> [UInt8] {
            big(parameter.oid.rawValue)
                + (parameter.bytes.map { big(Int32($0.count)) + $0 } ?? big(Int32(-1)))
        }
        let bytes =
            big(Int32(3)) + attribute(try (7 as PostgresNumeric).postgresParameter())
            + attribute(.null(.text))
            + attribute(
                PostgresParameter(
                    oid: .textArray, format: .binary,
                    bytes: big(Int32(0)) + big(Int32(0)) + big(PostgresTypeOID.text.rawValue)))
        #expect(try decode(Price.self, .record, .binary, bytes) == Price(amount: 7, currency: nil))
        let record = try decode(PostgresRecord.self, .record, .binary, bytes)
        #expect(record.values.map { $0?.oid } == [.numeric, nil, .textArray])
        for length in 0..<bytes.count {
            #expect(failure(Price.self, .record, .binary, Array(bytes[..<length]))?.code == .malformed)
        }
    }

    @Test func anErrorNamesTheAttribute() throws {
        let short = try #require(failure(Price.self, oid, .text, Array("(1)".utf8)))
        #expect(short.code == .malformed && short.description.contains("has 1 attributes"))
        let null = try #require(failure(Price.self, oid, .text, Array("(,,)".utf8)))
        #expect(null.code == .unexpectedNull && null.description.contains("attribute 1 of OID 20000"))
        #expect(failure(Price.self, .int4, .text, Array("(1)".utf8))?.code == .typeMismatch)
        for text in ["", "(", "(\"a", "(a\\"] {
            #expect(
                failure(PostgresRecord.self, .record, .text, Array(text.utf8))?.code == .malformed, "\(text)")
        }
    }

    @Test func recordsKeepTextsAndNULLs() throws {
        let record = try decode(PostgresRecord.self, .record, text: #"(1,,"",a"b""c"d,"e\\f")"#)
        #expect(record.values.map { $0?.text } == ["1", nil, "", #"ab"cd"#, #"e\f"#])
        let bound = try record.postgresParameter()
        #expect(try decode(PostgresRecord.self, .record, .text, bound.bytes) == record)
    }
}
