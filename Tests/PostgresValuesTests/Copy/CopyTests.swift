import PostgresValues
import Testing

@Suite struct CopyTests {
    private static let columns = PostgresColumns([
        PostgresColumn(name: "id", oid: .int4, format: .binary, index: 0),
        PostgresColumn(name: "label", oid: .text, format: .binary, index: 1),
    ])

    private static func columns(_ format: PostgresFormat) -> PostgresColumns {
        PostgresColumns(
            columns.map { PostgresColumn(name: $0.name, oid: $0.oid, format: format, index: $0.index) })
    }

    @Test func textEscapesWhatTheFormNeedsAndNothingElse() throws {
        var encoder = PostgresCopyTextEncoder()
        try encoder.append("a\u{8}b\u{C}c\nd\re\tf\u{B}g\\h", nil as String?, -5, "\\N", "é")
        #expect(
            String(decoding: encoder.finish(), as: UTF8.self)
                == #"a\bb\fc\nd\re\tf\vg\\h"# + "\t\\N\t-5\t\\\\N\té\n")
    }

    @Test func textTakesBinaryValuesToo() throws {
        var encoder = PostgresCopyTextEncoder()
        try encoder.append(true, [0xDE, 0x01] as [UInt8], Double.infinity, -Float.infinity, Double.nan, 1.5)
        #expect(
            String(decoding: encoder.finish(), as: UTF8.self)
                == "t\t\\\\xde01\tInfinity\t-Infinity\tNaN\t1.5\n")
    }

    @Test func binaryHasHeaderRowsAndTrailer() throws {
        var encoder = PostgresCopyBinaryEncoder()
        #expect(encoder.byteCount == 19)
        try encoder.append(Int32(7), nil as Int32?)
        let header: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + big(Int64(0))
        let row = big(Int16(2)) + big(Int32(4)) + big(Int32(7)) + big(Int32(-1))
        #expect(encoder.take() == header + row)
        #expect(encoder.rowCount == 1)
        #expect(encoder.finish() == big(Int16(-1)))
    }

    @Test func binaryRefusesTextOfATypeThatIsNotText() {
        var encoder = PostgresCopyBinaryEncoder()
        let error = #expect(throws: PostgresValueError.self) { try encoder.append("2020-01-01") }
        #expect(error?.code == .typeMismatch)
        #expect(error?.description.contains("binary COPY") == true)
        #expect(error?.row == 0)
        #expect(encoder.byteCount == 19)
    }

    @Test func binaryFitsValuesToTheColumnsItKnows() throws {
        var encoder = PostgresCopyBinaryEncoder(columns: Self.columns)
        try encoder.append(7, "x")
        let before = encoder.byteCount
        let tooBig = #expect(throws: PostgresValueError.self) { try encoder.append(Int.max, "x") }
        #expect(tooBig?.code == .outOfRange)
        #expect(tooBig?.column == "id")
        #expect(tooBig?.row == 1)
        #expect(throws: PostgresValueError.self) { try encoder.append(1.5, "x") }
        #expect(throws: PostgresValueError.self) { try encoder.append(1) }
        #expect(encoder.byteCount == before)
        #expect(
            encoder.take().dropFirst(19)
                == [0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 1, UInt8(ascii: "x")])
    }

    @Test func binaryTakesTextsArraysAndDocumentsWhereTheColumnIsKnown() throws {
        let columns = PostgresColumns(
            [PostgresTypeOID.textArray, .jsonb, .numeric].enumerated().map {
                PostgresColumn(name: "c\($0)", oid: $1, format: .binary, index: $0)
            })
        var encoder = PostgresCopyBinaryEncoder(columns: columns)
        try encoder.append(["a", nil, "b\"c"], JSON("{}"), PostgresNumeric(7))
        var rows = PostgresRows.Builder(columns: columns)
        var decoder = PostgresCopyBinaryDecoder(columnCount: 3)
        try decoder.append(encoder.finish(), into: &rows)
        let row = rows.finish()[0]
        #expect(try row.decode([String?].self, at: 0) == ["a", nil, "b\"c"])
        #expect(try row.decode(JSON.self, at: 1) == JSON("{}"))
        #expect(try row.decode(PostgresNumeric.self, at: 2) == 7)
        let error = #expect(throws: PostgresValueError.self) { try encoder.append(["a"], JSON("{}"), "7") }
        #expect(error?.column == "c2" && error?.code == .typeMismatch)
    }

    @Test(arguments: [PostgresFormat.text, .binary])
    func dataCutAtEveryByteGivesTheSameRows(format: PostgresFormat) throws {
        let values: [(Int32?, String?)] = [
            (1, "a\tb\nc\\"), (nil, nil), (.min, ""), (.max, "\\N"), (0, String(repeating: "é", count: 50)),
        ]
        func bytes(_ encoder: some PostgresCopyEncoder) throws -> [UInt8] {
            var encoder = encoder
            for (id, label) in values {
                try encoder.append(id, label)
            }
            return encoder.finish()
        }
        let data =
            format == .text
            ? try bytes(PostgresCopyTextEncoder())
            : try bytes(PostgresCopyBinaryEncoder(columns: Self.columns))
        func read(_ chunks: [[UInt8]], _ decoder: some PostgresCopyDecoder) throws {
            var decoder = decoder
            var rows = PostgresRows.Builder(columns: Self.columns(format))
            for chunk in chunks {
                try decoder.append(chunk, into: &rows)
            }
            try decoder.finish()
            let result = rows.finish()
            #expect(result.count == values.count && decoder.rowCount == values.count)
            for (row, value) in zip(result, values) {
                #expect(try row.decode(Int32?.self, String?.self) == value)
            }
        }
        let decoder: any PostgresCopyDecoder =
            format == .text
            ? PostgresCopyTextDecoder(columnCount: 2) : PostgresCopyBinaryDecoder(columnCount: 2)
        for cut in 0...data.count {
            try read([Array(data[..<cut]), Array(data[cut...])], decoder)
        }
        try read(data.map { [$0] }, decoder)
        for length in 0..<data.count where format == .binary {
            #expect(throws: PostgresValueError.self) { try read([Array(data[..<length])], decoder) }
        }
    }

    @Test func textDecoderReadsWhatOnlyPeopleWrite() throws {
        var decoder = PostgresCopyTextDecoder(columnCount: 2)
        var rows = PostgresRows.Builder(columns: Self.columns(.text))
        #expect(try decoder.append(Array("1\\\t2\t\\x41\\101\\q\\\n\\\\\n\\.\n".utf8), into: &rows) == 1)
        try decoder.finish()
        let row = rows.finish()[0]
        #expect(try row.decode(String.self, at: 1) == "AAq\n\\")
        #expect(row.withCell(at: 0) { $0.bytes.map { Array($0) } } == Array("1\t2".utf8))
    }

    @Test func rowsOfNoColumnsAreCounted() throws {
        var decoder = PostgresCopyTextDecoder(columnCount: 0)
        var rows = PostgresRows.Builder(columns: PostgresColumns([]))
        #expect(try decoder.append(Array("\n\n".utf8), into: &rows) == 2)
    }

    @Test(arguments: ["1\n", "1\t2\t3\n", "\\.\n1\t2\n"])
    func linesOfTheWrongWidthAreRefused(text: String) {
        var decoder = PostgresCopyTextDecoder(columnCount: 2)
        var rows = PostgresRows.Builder(columns: Self.columns(.text))
        let error = #expect(throws: PostgresValueError.self) {
            try decoder.append(Array(text.utf8), into: &rows)
        }
        #expect(error?.code == .malformed)
    }

    @Test func textThatEndsInsideALineIsRefused() throws {
        var decoder = PostgresCopyTextDecoder(columnCount: 1)
        var rows = PostgresRows.Builder(columns: PostgresColumns([]))
        #expect(try decoder.append(Array("abc".utf8), into: &rows) == 0)
        #expect(throws: PostgresValueError.self) { try decoder.finish() }
    }

    @Test(arguments: [
        Array("PGCOPY\n".utf8) + [0x7F, 0x0D, 0x0A, 0] + big(Int64(0)),
        Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + big(Int32(0x10000)) + big(Int32(0)),
        Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + big(Int32(0)) + big(Int32(-1)),
        Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + big(Int64(0)) + big(Int16(3)),
        Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + big(Int64(0)) + big(Int16(2)) + big(Int32(-2)),
        Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + big(Int64(0)) + big(Int16(-1)) + [0],
    ])
    func damagedBinaryDataIsRefused(data: [UInt8]) {
        var decoder = PostgresCopyBinaryDecoder(columnCount: 2)
        var rows = PostgresRows.Builder(columns: Self.columns(.binary))
        let error = #expect(throws: PostgresValueError.self) { try decoder.append(data, into: &rows) }
        #expect(error?.code == .malformed)
    }

    @Test func anExtensionOfTheHeaderIsSkipped() throws {
        var decoder = PostgresCopyBinaryDecoder(columnCount: 2)
        var rows = PostgresRows.Builder(columns: Self.columns(.binary))
        let header = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + big(Int32(1)) + big(Int32(3))
        try decoder.append(header, into: &rows)
        try decoder.append([9, 9, 9] + big(Int16(-1)), into: &rows)
        try decoder.finish()
        #expect(decoder.rowCount == 0)
    }
}
