import FoundationEssentials
import PostgresValues
import Testing

@testable import Models

@Suite struct ModelRowTests {
    /// A result of text cells, `(name, type, values)`.
    static func rows(_ columns: (String, PostgresTypeOID, [String?])...) -> PostgresRows {
        var builder = PostgresRows.Builder(
            columns: columns.enumerated().map {
                PostgresColumn(name: $1.0, oid: $1.1, format: .text, index: $0)
            })
        for index in columns[0].2.indices {
            for column in columns {
                builder.append(column.2[index].map { Array($0.utf8) })
            }
        }
        return builder.finish()
    }

    private func decode<M: Model>(_: M.Type, _ rows: PostgresRows) throws -> [M] {
        try ModelSchema<M>.shared().decode(rows)
    }

    @Test func rowsBecomeValues() throws {
        let rows = Self.rows(
            ("id", .int8, ["1", nil]), ("code", .text, ["a", "🦉"]), ("packet", .varchar, ["x", ""]))
        #expect(
            try decode(Client.self, rows) == [
                Client(id: 1, code: "a", packet: "x"), Client(id: nil, code: "🦉", packet: ""),
            ])
    }

    @Test func everyKindOfPropertyIsRead() throws {
        let rows = Self.rows(
            ("id", .uuid, ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]), ("title", .text, ["T"]),
            ("length_minutes", .int4, ["90"]), ("rating", PostgresTypeOID(rawValue: 16400), ["pg"]),
            ("lang", .bpchar, ["de"]), ("poster_url", .text, [nil]), ("score", .float8, ["7.5"]),
            ("is_public", .bool, ["f"]), ("digest", .bytea, ["\\x0102"]), ("tags", .textArray, ["{a,b}"]),
            ("released_at", .timestamptz, ["2001-01-01 00:00:00+00"]))
        #expect(
            try decode(Film.self, rows) == [
                Film(
                    id: UUID(uuidString: "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"), title: "T",
                    lengthMinutes: 90,
                    rating: .pg, spokenLanguage: "de", posterURL: nil, score: 7.5, isPublic: false,
                    digest: [1, 2], tags: ["a", "b"], releasedAt: Date(timeIntervalSinceReferenceDate: 0))
            ])
    }

    @Test func otherOrderAndMoreColumnsDoNotMatter() throws {
        let rows = Self.rows(
            ("extra", .numeric, ["1"]), ("packet", .text, ["p"]), ("code", .text, ["c"]), ("id", .int4, ["5"])
        )
        #expect(try decode(Client.self, rows) == [Client(id: 5, code: "c", packet: "p")])
        let pairs = Self.rows(("right", .int4, ["2"]), ("x", .text, [nil]), ("left", .int4, ["1"]))
        #expect(try decode(Pair.self, pairs) == [Pair(left: 1, right: 2)])
    }

    @Test func missingColumnNamesModelAndColumn() {
        #expect {
            try decode(Client.self, Self.rows(("id", .int8, ["1"]), ("code", .text, ["a"])))
        } throws: {
            "\($0)" == "Client: the result has no column named \"packet\"; it has \"id\", \"code\""
        }
    }

    @Test func nullIntoANonOptionalNamesRowAndColumn() {
        let rows = Self.rows(
            ("id", .int8, ["1", "2"]), ("code", .text, ["a", nil]), ("packet", .text, ["x", "y"]))
        #expect {
            try decode(Client.self, rows)
        } throws: { error in
            let error = error as? PostgresValueError
            return error?.code == .unexpectedNull && error?.row == 1 && error?.column == "code"
        }
    }

    @Test func wrongTypeNamesBothTypesAndTheCast() {
        let rows = Self.rows(("id", .numeric, ["1"]), ("code", .text, ["a"]), ("packet", .text, ["x"]))
        #expect {
            try decode(Client.self, rows)
        } throws: {
            "\($0)".contains("cannot read numeric (OID 1700) as Int64; cast it in the query: \"id\"::int8")
        }
    }

    @Test func emptyResultIsAnEmptyArray() throws {
        #expect(
            try decode(Client.self, PostgresRows.Builder(columns: [PostgresColumn]()).finish()).isEmpty)
    }

    @Test func readingBehindTheLastPropertyIsAnError() {
        struct Greedy: Model {
            static let table = "t"
            var a: Int
            init(row: inout ModelRow) throws {
                a = try row.next()
                _ = try row.next(Int.self)
            }
        }
        #expect { try decode(Greedy.self, Self.rows(("a", .int4, ["1"]))) } throws: {
            ($0 as? PostgresValueError)?.code == .noSuchColumn
        }
    }

    @Test func codingKeysThatRenameAreRefusedWithTheWayOut() {
        struct Renamed: Model {
            static let table = "t"
            var code: String
            enum CodingKeys: String, CodingKey { case code = "kode" }
        }
        #expect { try decode(Renamed.self, Self.rows(("code", .text, ["a"]))) } throws: {
            "\($0)".contains("not by CodingKeys")
        }
    }

    @Test func modelsOfManyPropertiesAreReadByHashedNames() throws {
        #expect(try ModelSchema<Film>.shared().layout.index(codingKey: "releasedAt") == 10)
        #expect(try ModelSchema<Film>.shared().layout.index(codingKey: "lang") == nil)
    }
}
