import PostgresValues
import Testing

@Suite struct PostgresRowsTests {
    static let columns = [
        PostgresColumn(name: "id", oid: .int8, format: .text, index: 0),
        PostgresColumn(name: "code", oid: .text, format: .text, index: 1),
        PostgresColumn(name: "note", oid: .text, format: .text, index: 2),
    ]

    static func rows(_ cells: [[String?]], tag: String = "") -> PostgresRows {
        var builder = PostgresRows.Builder(columns: columns, expectedRows: cells.count, expectedBytes: 64)
        for cell in cells.joined() {
            builder.append(cell.map { Array($0.utf8) })
        }
        return builder.finish(commandTag: tag)
    }

    @Test func cellsKeepTheirPlacesAroundNullAndEmpty() throws {
        let rows = Self.rows([["1", "a", nil], [nil, "", "x"], ["3", nil, nil]])
        let read = try rows.map { try $0.decode(Int?.self, String?.self, String?.self) }
        #expect(read.map(\.0) == [1, nil, 3])
        #expect(read.map(\.1) == ["a", "", nil])
        #expect(read.map(\.2) == [nil, "x", nil])
        #expect(rows[2].isNull(at: 1) && !rows[1].isNull(at: 1))
    }

    @Test func builderTakesPointersAsLibpqGivesThem() throws {
        var builder = PostgresRows.Builder(columns: Self.columns)
        "42".withCString { builder.append($0, length: 2) }
        "".withCString { builder.append($0, length: 0) }
        builder.append(nil as UnsafePointer<CChar>?, length: 0)
        let row = builder.finish()[0]
        #expect(try row.decode(Int.self, at: 0) == 42)
        #expect(try row.decode(String?.self, at: 1) == "")
        #expect(try row.decode(String?.self, at: 2) == nil)
    }

    @Test func cursorReadsFromLeftToRight() throws {
        var cursor = Self.rows([["1", "a", "b"]])[0].cursor()
        #expect(try cursor.next(Int.self) == 1)
        #expect(try cursor.next(String.self) == "a")
        #expect(try cursor.next() == "b")
        #expect(throws: PostgresValueError.self) { try cursor.next(String.self) }
    }

    @Test func errorsNameRowAndColumn() throws {
        let rows = Self.rows([["1", "a", "b"], ["1", nil, "b"]])
        #expect {
            try rows[1].decode(String.self, named: "code")
        } throws: { error in
            let error = error as? PostgresValueError
            return error?.row == 1 && error?.column == "code" && error?.code == .unexpectedNull
        }
        #expect {
            try rows[0].decode(Int.self, at: 1)
        } throws: {
            "\($0)"
                == "rows[0], column \"code\": cannot read text (OID 25) as Int; cast it in the query: \"code\"::int8"
        }
    }

    @Test func unknownNamesListTheColumns() {
        #expect {
            try Self.rows([["1", "a", "b"]])[0].decode(Int.self, named: "Id")
        } throws: {
            "\($0)" == "the result has no column named \"Id\"; it has \"id\", \"code\", \"note\""
        }
    }

    @Test(arguments: [3, 40])
    func ambiguousNamesAreRefusedInNarrowAndWideResults(count: Int) throws {
        let columns = PostgresColumns(
            (0..<count).map {
                PostgresColumn(name: $0 < 2 ? "id" : "c\($0)", oid: .int4, format: .text, index: $0)
            })
        #expect { try columns.index(named: "id") } throws: {
            ($0 as? PostgresValueError)?.code == .ambiguousColumn
        }
        #expect(try columns.index(named: "c2") == 2)
        #expect { try columns.index(named: "nope") } throws: {
            ($0 as? PostgresValueError)?.code == .noSuchColumn
        }
    }

    @Test(arguments: [-1, 3])
    func positionsOutsideAreErrors(position: Int) {
        #expect { try Self.rows([["1", "a", "b"]])[0].decode(String?.self, at: position) } throws: {
            ($0 as? PostgresValueError)?.code == .noSuchColumn
        }
    }

    @Test func foreignErrorsOfConversionsAreWrapped() {
        struct Picky: PostgresDecodable {
            struct Complaint: Error {}
            static func decode(_ cell: PostgresCell) throws -> Picky { throw Complaint() }
        }
        #expect {
            try Self.rows([["1", "a", "b"]])[0].decode(Picky.self, at: 0)
        } throws: { error in
            let error = error as? PostgresValueError
            return error?.code == .conversion && error?.column == "id" && error?.underlying is Picky.Complaint
        }
    }

    @Test(arguments: [
        ("SELECT 3", 3), ("INSERT 0 12", 12), ("UPDATE 1", 1), ("DELETE 0", 0), ("CREATE TABLE", 0), ("", 0),
    ])
    func affectedRowsEndTheCommandTag(tag: String, count: Int) {
        #expect(Self.rows([], tag: tag).affectedRows == count)
    }

    @Test func emptyResultStillHasColumns() {
        let rows = Self.rows([])
        #expect(rows.isEmpty)
        #expect(rows.columns.map(\.name) == ["id", "code", "note"])
    }

    @Test func rowsWithoutColumnsAreCounted() {
        #expect(PostgresRows.Builder(columns: []).finish(commandTag: "SELECT 2", rowCount: 2).count == 2)
        #expect(PostgresRows.Builder(columns: []).finish(commandTag: "CREATE TABLE").isEmpty)
    }

    @Test func incompleteRowStopsTheProgram() async {
        await #expect(processExitsWith: .failure) {
            var builder = PostgresRows.Builder(columns: PostgresRowsTests.columns)
            builder.appendNull()
            _ = builder.finish()
        }
    }
}
