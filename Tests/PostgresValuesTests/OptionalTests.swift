import PostgresValues
import Testing

@Suite struct OptionalTests {
    @Test func nullIsNilAndTheRestIsRead() throws {
        #expect(try decode(Int?.self, .int4, .text, nil) == nil)
        #expect(try decode(Int?.self, .int4, text: "7") == 7)
        #expect(try decode(String?.self, .text, .binary, []) == "")
    }

    @Test func nullIntoANonOptionalNamesRowAndColumn() throws {
        let error = try #require(failure(String.self, .text, .text, nil))
        #expect(error.code == .unexpectedNull)
        #expect(error.row == 0 && error.column == "value")
        #expect(
            error.description
                == "rows[0], column \"value\": NULL in a text (OID 25) cannot be read as String; read String? "
                + "instead")
    }

    @Test func nullDoesNotHideAWrongTypeBehindIt() {
        #expect(failure(Int?.self, .text, .text, Array("x".utf8))?.code == .typeMismatch)
    }
}
