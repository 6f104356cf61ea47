import FoundationEssentials
import PostgresValues
import Testing

private struct Order: Codable, Hashable { var id: Int64; var note: String? }

@Suite struct JSONTests {
    @Test func documentsAreKeptToTheByte() throws {
        let text = #"{"b": 1.10, "a": 123456789012345678901234567890, "a": null}"#
        #expect(try decode(JSON.self, .json, text: text).description == text)
        #expect(try decode(JSON.self, .jsonb, .binary, [1] + Array(text.utf8)).description == text)
        #expect(failure(JSON.self, .jsonb, .binary, [2] + Array(text.utf8))?.code == .malformed)
        #expect(failure(JSON.self, .jsonb, .binary, [])?.code == .malformed)
        #expect(try JSON(text).postgresParameter() == .text(text))
    }

    @Test func nullOfJSONIsNotNULL() throws {
        #expect(try decode(JSON?.self, .jsonb, text: "null") == .null)
        #expect(try decode(JSON?.self, .jsonb, .text, nil) == nil)
        #expect(try JSON.null.postgresParameter().bytes == Array("null".utf8))
        #expect(try JSON?.none.postgresParameter().bytes == nil)
        #expect(try decode(PostgresJSON<Int?>.self, .json, text: "null").value == nil)
    }

    @Test func codableValuesGoBothWays() throws {
        let order = Order(id: .max, note: "é\"")
        let bound = try PostgresJSON(order).postgresParameter()
        #expect(try decode(PostgresJSON<Order>.self, .jsonb, .text, bound.bytes).value == order)
        #expect(try JSON(encoding: order).decode(Order.self) == order)
        #expect(try decode(PostgresJSON<UInt64>.self, .json, text: "18446744073709551615").value == .max)
        let list = try [PostgresJSON(order), nil].postgresParameter()
        #expect(
            try decode([PostgresJSON<Order>?].self, .jsonbArray, .text, list.bytes) == [
                PostgresJSON(order), nil,
            ])
        let outer = try JSONEncoder().encode(PostgresJSON(order))
        #expect(try JSONDecoder().decode(Order.self, from: outer) == order)
    }

    @Test func aDocumentThatDoesNotFitSaysWhere() throws {
        let error = try #require(
            failure(PostgresJSON<[Order]>.self, .json, .text, Array(#"[{"id": "secret"}]"#.utf8)))
        #expect(error.code == .malformed)
        #expect(error.description.contains("[0].id is no Int64"))
        #expect(!error.description.contains("secret"))
        #expect(
            failure(PostgresJSON<Order>.self, .json, .text, Array("{}".utf8))?.message.contains(
                "id is missing") == true)
        #expect(failure(PostgresJSON<Order>.self, .json, .text, Array("{".utf8))?.code == .malformed)
        #expect(failure(JSON.self, .text, .text, Array("{}".utf8))?.suggestedCast == "jsonb")
    }
}
