import FoundationEssentials
import Postgres
import PostgresValues
import ReactorTesting
import Testing

private struct Order: Codable, Hashable { var id: Int64; var note: String? }

@Suite struct TextTypesTests {
    @Test func texts() async throws {
        try await TypeTests.withConnection { connection in
            let text = TypeCheck("text", String.self)
            try await text.check(["", "a", "it's", "é€🐘", "NULL", "{,}\"\\", " "], on: connection)
            try await text.checkRandom(on: connection) { $0.text() }
            try await TypeCheck("varchar(5)", String.self).check(["", "abcde"], on: connection)
            try await TypeCheck("name", String.self).check(["", "pg_class"], on: connection)
            try await TypeCheck("\"char\"", String.self).check(["", "a"], on: connection)
        }
    }

    // A name is cut at 63 bytes, a char(n) padded, a "char" one byte long.
    @Test func theSpecialTextTypesHaveTheirHabits() async throws {
        try await TypeTests.withConnection { connection in
            for _ in 0..<3 {
                let row = try await connection.query(
                    """
                    SELECT 'ab'::char(5), ('ab'::char(5))::text, repeat('x', 70)::name, 'ab'::"char",
                        'ab'::char(5) = 'ab  '::char(9), ARRAY['ab']::char(4)[]
                    """, timeout: nil)[0]
                #expect(try row.decode(String.self, at: 0) == "ab   ")
                #expect(try row.decode(String.self, at: 1) == "ab")
                #expect(try row.decode(String.self, at: 2) == String(repeating: "x", count: 63))
                #expect(try row.decode(String.self, at: 3) == "a")
                #expect(try row.decode(Bool.self, at: 4))
                #expect(try row.decode([String].self, at: 5) == ["ab  "])
            }
        }
    }

    @Test func bytes() async throws {
        try await TypeTests.withConnection { connection in
            let check = TypeCheck("bytea") { (value: Data) in
                "\\x" + value.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            }
            try await check.check(["", "\\x00ff", "abc"], on: connection)
            try await check.checkRandom(on: connection) { Data($0.bytes(Int($0.next() % 20))) }
            let nested: [[UInt8]] = [[0, 255], [], [1]]
            for _ in 0..<3 {
                #expect(try await connection.one([[UInt8]].self, "SELECT \(nested)") == nested)
            }
        }
    }

    @Test func identifiers() async throws {
        try await TypeTests.withConnection { connection in
            let check = TypeCheck("uuid") { (value: UUID) in value.uuidString.lowercased() }
            try await check.check(
                ["00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"],
                on: connection)
            try await check.checkRandom(on: connection) { random in
                let bytes = random.bytes(16)
                return bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
            }
        }
    }

    @Test func documents() async throws {
        try await TypeTests.withConnection { connection in
            let special = [
                "null", "1.10", "\"a\"", "[]", "{\"a\": [1, null]}", "123456789012345678901234567890",
            ]
            let json = TypeCheck("json", JSON.self)
            try await json.check(special + ["{\"b\":1,\"a\":2, \"a\":3}", "\"\\u0000\""], on: connection)
            try await json.checkRandom(on: connection) { try! JSON(encoding: $0.text()) }
            let jsonb = TypeCheck("jsonb", JSON.self)
            try await jsonb.check(special, on: connection)
            try await jsonb.checkRandom(on: connection, isCanonical: false) { random in
                try! JSON(encoding: [random.text().replacing("\u{1}", with: ""): random.integer(Int64.self)])
            }
            let order = Order(id: .max, note: "é\"")
            for _ in 0..<3 {
                #expect(
                    try await connection.one(PostgresJSON<Order>.self, "SELECT \(PostgresJSON(order))::jsonb")
                        .value
                        == order)
                #expect(
                    try await connection.one(PostgresJSON<Order>.self, "SELECT \(PostgresJSON(order))::json")
                        .value
                        == order)
            }
        }
    }

    @Test func nullOfJSONIsNotNULL() async throws {
        try await TypeTests.withConnection { connection in
            for _ in 0..<3 {
                let row = try await connection.query(
                    "SELECT \(JSON.null)::jsonb, \(JSON?.none)::jsonb, \(JSON.null)::jsonb IS NULL",
                    timeout: nil)[0]
                #expect(try row.decode(JSON?.self, at: 0) == .null)
                #expect(try row.decode(JSON?.self, at: 1) == nil)
                #expect(try row.decode(Bool.self, at: 2) == false)
            }
        }
    }

    @Test func textsOfTheirOwnKind() async throws {
        try await TypeTests.withConnection { connection in
            try await TypeCheck("xml", PostgresXML.self).check(["<a b=\"c\"/>", "x"], on: connection)
            try await TypeCheck("tsvector", TSVector.self).check(["", "'fox':3A 'it''s':2"], on: connection)
            try await TypeCheck("tsquery", TSQuery.self).check(["'fox' & !'dog'", "'a':*B"], on: connection)
            try await TypeCheck("money", PostgresMoney.self).check(["1234.5", "-1"], on: connection)
        }
    }

    @Test func extensionsAndTypesMadeInTheDatabase() async throws {
        let database = try Database()
        try await database.withConnection { connection in
            try await connection.script(
                """
                CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE EXTENSION citext;
                CREATE TYPE mood AS ENUM ('sad', 'so-so', 'it''s "ok"');
                CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE DOMAIN feeling AS mood
                """)
            let hstore = TypeCheck("hstore", HStore.self)
            try await hstore.check(
                ["", "a=>1,b=>NULL", #""x y"=>"\"q\\""#, #"longer=>"""#, "é=>€"], on: connection)
            try await hstore.checkRandom(on: connection) { random in
                HStore(
                    Dictionary(
                        (0..<(random.next() % 4)).map { _ in
                            (random.text(), random.chance(4) ? nil : random.text())
                        },
                        uniquingKeysWith: { first, _ in first }))
            }
            let packed = try await connection.one(
                [UInt8].self, "SELECT hstore_send(\(["a": nil, "é": "ü"] as HStore)::hstore)")
            let raw = PostgresRawValue(oid: PostgresTypeOID(rawValue: 20_000), bytes: packed, format: .binary)
            #expect(try raw.decode(HStore.self) == ["a": nil, "é": "ü"])
            try await TypeCheck("ltree", LTree.self).check(["", "Top.Science"], on: connection)
            try await TypeCheck("citext", String.self).check(["", "Abc"], on: connection)
            try await TypeCheck("mood") { (value: Mood) in value.rawValue }
                .check(["sad", "so-so", "it's \"ok\""], on: connection)
            try await TypeCheck("feeling") { (value: Mood) in value.rawValue }.check(["sad"], on: connection)
            try await TypeCheck("positive", Int32.self).check(["1", "2147483647"], on: connection)
            let rows = try await connection.query("SELECT 'sad'::mood AS mood", timeout: nil)
            let error = #expect(throws: PostgresValueError.self) { try rows[0].decode(Fruit.self, at: 0) }
            #expect(error?.description.contains("none of apple, pear of Fruit") == true)
            #expect(error?.description.hasPrefix("rows[0], column \"mood\"") == true)
            let number = #expect(throws: PostgresValueError.self) { try rows[0].decode(Int.self, at: 0) }
            #expect(number?.description.contains("::int8") == true)
        }
    }
}

private enum Mood: String, PostgresEnum, CaseIterable {
    case sad
    case soSo = "so-so"
    case ok = "it's \"ok\""
}

private enum Fruit: String, PostgresEnum, CaseIterable { case apple, pear }
