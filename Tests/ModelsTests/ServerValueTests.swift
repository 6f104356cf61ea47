import FoundationEssentials
import Postgres
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

/// Values against the server's own idea of them. A statement's first run answers in text, later ones in binary, so
/// every value is read in both forms.
@Suite struct ServerValueTests {
    /// Binds the value, and reads it and the server's text of it; `type` is a cast.
    @ReactorActor
    private static func check<T: PostgresValue & Equatable>(
        _ db: PostgresPool, _ value: T, _ type: String, _ text: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let sql: SQL = "SELECT \(value)::\(raw: type), (\(value)::\(raw: type))::text"
        for _ in 1...3 {
            let rows = try await db.query(sql)
            let (read, written) = try rows[0].decode(T.self, String.self)
            #expect(read == value, sourceLocation: sourceLocation)
            #expect(written == text, sourceLocation: sourceLocation)
        }
    }

    @Test func valuesGoToTheServerAndBackInBothForms() async throws {
        try await Database().withPool { db async throws in
            try await db.execute("SET timezone = 'UTC'")
            try await Self.check(db, true, "bool", "true")
            try await Self.check(db, Int16.min, "int2", "-32768")
            try await Self.check(db, Int32.max, "int4", "2147483647")
            try await Self.check(db, Int64.min, "int8", "-9223372036854775808")
            try await Self.check(db, Int.max, "int8", "9223372036854775807")
            try await Self.check(db, -7, "int2", "-7")
            try await Self.check(db, UInt32.max, "oid", "4294967295")
            try await Self.check(db, Float(0.1), "float4", "0.1")
            try await Self.check(db, 0.1, "float8", "0.1")
            try await Self.check(db, Double.infinity, "float8", "Infinity")
            try await Self.check(db, -Double.infinity, "float8", "-Infinity")
            try await Self.check(db, Double.leastNonzeroMagnitude, "float8", "5e-324")
            try await Self.check(db, "é🦉'\\\"", "text", "é🦉'\\\"")
            try await Self.check(db, "ab", "varchar(2)", "ab")
            try await Self.check(db, "ab  ", "char(4)", "ab")
            try await Self.check(db, "ab", "name", "ab")
            try await Self.check(db, "{\"a\": 1}", "jsonb", "{\"a\": 1}")
            try await Self.check(db, "pg", "rating", "pg")
            try await Self.check(db, Rating.pg, "rating", "pg")
            try await Self.check(db, Rating.g, "text", "g")
            try await Self.check(db, [UInt8](0...255), "bytea", "\\x" + hex(0...255))
            try await Self.check(db, [UInt8](), "bytea", "\\x")
            let uuid = try #require(UUID(uuidString: "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"))
            try await Self.check(db, uuid, "uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
            try await Self.check(
                db, [Int64.min, 0, .max], "int8[]", "{-9223372036854775808,0,9223372036854775807}")
            try await Self.check(db, [Int32](), "int4[]", "{}")
            try await Self.check(db, [Int?.none, 1], "int8[]", "{NULL,1}")
            try await Self.check(db, ["a b", "", "NULL", "\"\\"], "text[]", #"{"a b","","NULL","\"\\"}"#)
            try await Self.check(db, [String?.none, "x"], "text[]", "{NULL,x}")
            try await Self.check(db, [Rating.g, .pg], "rating[]", "{g,pg}")
            try await Self.check(db, [uuid], "uuid[]", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}")
        }
    }

    @Test func nullsAreTypedAndReadAsNil() async throws {
        try await Database().withPool { db async throws in
            for _ in 1...3 {
                let row = try await db.query(
                    """
                    SELECT \(Bool?.none), \(Int?.none), \(String?.none)::text, \(UUID?.none), \([UInt8]?.none), \
                    \(Date?.none), \([Int]?.none), pg_typeof(\(Int?.none))::text, pg_typeof(\(Date?.none))::text
                    """)[0]
                for position in 0..<7 {
                    #expect(row.isNull(at: position))
                }
                #expect(try row.decode(String.self, at: 7) == "bigint")
                #expect(try row.decode(String.self, at: 8) == "timestamp with time zone")
            }
        }
    }

    @Test func instantsAreTheServersInstants() async throws {
        try await Database().withPool { db async throws in
            for zone in ["UTC", "Asia/Kolkata", "America/New_York", "Asia/Tehran"] {
                try await db.transaction { tx in
                    try await tx.execute("SELECT set_config('TimeZone', \(zone), true)")
                    var generator = SeededGenerator(seed: 4)
                    for _ in 0..<100 {
                        // 1800 to 2200, with all the odd offsets of local mean time.
                        let microseconds = Int64.random(
                            in: -6_311_433_600_000_000..<6_311_433_600_000_000, using: &generator)
                        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
                        let date = Date(
                            timeIntervalSinceReferenceDate: Double(seconds - 366 * 86_400) + Double(rest)
                                / 1e6)
                        let row = try await tx.query(
                            "SELECT \(date), (extract(epoch FROM \(date)) * 1000000)::int8 - 946684800000000")[
                                0]
                        let (read, seen) = try row.decode(Date.self, Int64.self)
                        #expect(seen == microseconds, "in \(zone)")
                        #expect(abs(read.timeIntervalSince(date)) < 1e-6, "in \(zone)")
                    }
                }
            }
        }
    }

    @Test func randomNumbersAndTextsComeBack() async throws {
        try await Database().withPool { db async throws in
            var generator = SeededGenerator(seed: 5)
            for _ in 0..<10 {
                let integers = (0..<1000).map { _ in
                    Int64.random(in: .min ... .max, using: &generator)
                        >> Int64.random(in: 0..<64, using: &generator)
                }
                let doubles = (0..<1000).map { _ in Double(bitPattern: generator.next()) }.filter {
                    !$0.isNaN
                }
                let texts = (0..<1000).map { _ in
                    let scalars = (0..<8).compactMap { _ in
                        Unicode.Scalar(UInt32.random(in: 1...0x10ffff, using: &generator))
                    }
                    return String(String.UnicodeScalarView(scalars))
                }
                // As elements, and each as a cell of its own in its text form.
                let arrays = try await db.query("SELECT \(integers), \(doubles), \(texts)::text[]")[0]
                    .decode([Int64].self, [Double].self, [String].self)
                #expect(arrays.0 == integers && arrays.1 == doubles)
                #expect(arrays.2.map { Array($0.utf8) } == texts.map { Array($0.utf8) })
                let cells = try await db.query("SELECT unnest(\(integers)), unnest(\(texts)::text[])")
                #expect(try cells.map { try $0.decode(Int64.self, at: 0) } == integers)
                #expect(
                    try cells.map { Array(try $0.decode(String.self, at: 1).utf8) }
                        == texts.map { Array($0.utf8) })
                let floats = try await db.query("SELECT unnest(\(doubles))")
                #expect(try floats.map { try $0.decode(Double.self, at: 0) } == doubles)
            }
        }
    }

    @Test func byteaIsReadInBothTextForms() async throws {
        try await Database().withPool { db async throws in
            let all = [UInt8](0...255)
            try await db.transaction { tx in
                for form in ["escape", "hex"] {
                    try await tx.execute("SELECT set_config('bytea_output', \(form), true)")
                    // A statement not seen before, hence answered in text.
                    let read = try await tx.one([UInt8].self, "SELECT \(all) /* \(raw: form) */")
                    #expect(read == all)
                }
            }
        }
    }

    @Test func infinityAndForeignTypesAreErrorsInBothForms() async throws {
        try await Database().withPool { db async throws in
            for _ in 1...3 {
                await #expect { try await db.one(Date.self, "SELECT 'infinity'::timestamptz AS t") } throws: {
                    "\($0)".contains("\"t\"") && "\($0)".contains(" infinity,")
                }
                await #expect { try await db.one(Int.self, "SELECT 1.5 AS price") } throws: {
                    "\($0)".contains("numeric (OID 1700) as Int; cast it in the query: \"price\"::int8")
                }
            }
        }
    }
}

private func hex(_ bytes: ClosedRange<Int>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
