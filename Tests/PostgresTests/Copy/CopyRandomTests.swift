import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Rows of random and of extreme values, many and long, are in the table as they were written, and come back so.
@Suite struct CopyRandomTests {
    typealias Row = (Int, Int64?, Int32?, Int16?, Double?, Float?, Bool?, String?)
    private static let table: SQL =
        "CREATE TABLE t (n int4, a int8, b int4, c int2, d float8, e float4, f bool, g text)"

    /// Every byte that COPY escapes or that ends something, alone and beside others.
    private static let texts =
        (1...0x7F).map { String(UnicodeScalar($0)) }
        + ["", "\\", "\\N", "\\.", "a\tb\r\nc\\", "é", "🦉\u{301}", "\u{80}", "\u{100}", "NULL"]

    private static func rows() -> [Row] {
        let doubles: [Double] = [
            0, -0.0, .nan, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 0.1, 1e15,
            1e-5,
        ]
        var rows: [Row] = []
        for (place, text) in texts.enumerated() {
            rows.append(
                (
                    place, place % 2 == 0 ? .min : .max, place % 2 == 0 ? .max : .min,
                    place % 2 == 0 ? .min : .max, doubles[place % doubles.count],
                    Float(doubles[(place + 3) % doubles.count]), place % 3 == 0, text
                ))
        }
        var random = SeededGenerator(seed: 20)
        for place in rows.count..<6000 {
            let length = random.chance(50) ? Int.random(in: 0..<3000, using: &random) : place % 40
            let text = (0..<length).map { _ in random.pick(texts) }.joined()
            func orNull<T>(_ value: T) -> T? { random.chance(8) ? nil : value }
            rows.append(
                (
                    place, orNull(random.integer()), orNull(random.integer()), orNull(random.integer()),
                    orNull(random.double()), orNull(random.float()), orNull(random.chance(2)), orNull(text)
                ))
        }
        // Around the size of a message, and beyond.
        for length in Array(65_480...65_540) + [131_072, 1_000_000] {
            rows.append((rows.count, nil, 0, nil, nil, nil, nil, String(repeating: "x", count: length)))
        }
        return rows
    }

    private static func isSame(_ one: Row, _ other: Row) -> Bool {
        one.0 == other.0 && one.1 == other.1 && one.2 == other.2 && one.3 == other.3
            && one.4?.bitPattern == other.4?.bitPattern && one.5?.bitPattern == other.5?.bitPattern
            && one.6 == other.6 && one.7.map { Array($0.utf8) } == other.7.map { Array($0.utf8) }
    }

    /// Each row bound to a statement instead, which is what the server makes of the values otherwise.
    private static func differences(_ pool: PostgresPool, _ rows: [Row]) async throws -> Int {
        var differences = 0
        for row in rows where row.0 % 7 == 0 {
            let isThere = try await pool.one(
                Bool.self,
                """
                SELECT (a, b, c, d, e, f, g) IS NOT DISTINCT FROM (\(row.1), \(row.2), \(row.3), \(row.4), \(row.5), \
                \(row.6), \(row.7)::text) AND d::text IS NOT DISTINCT FROM (\(row.4))::text FROM t WHERE n = \(Int32(row.0))
                """)
            if !isThere { differences += 1 }
        }
        return differences
    }

    @Test(arguments: [PostgresCopyFormat.text, .binary], [true, false])
    func whatWasWrittenIsThere(_ format: PostgresCopyFormat, isSequence: Bool) async throws {
        let rows = Self.rows()
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute(Self.table)
            let count =
                if isSequence {
                    try await pool.copyIn(into: "t", format: format, rows: rows)
                } else {
                    try await pool.copyIn(into: "t", format: format) { writer in
                        for row in rows {
                            try await writer.write(row.0, row.1, row.2, row.3, row.4, row.5, row.6, row.7)
                        }
                    }
                }
            #expect(count == rows.count)
            try await pool.execute("CREATE INDEX ON t (n)")
            #expect(try await Self.differences(pool, rows) == 0)
            var place = 0
            var wrong = 0
            try await pool.forEachRow("SELECT * FROM t ORDER BY n") { row in
                let read = try row.decode(
                    Int.self, Int64?.self, Int32?.self, Int16?.self, Double?.self, Float?.self, Bool?.self,
                    String?.self)
                if !Self.isSame(read, rows[place]) { wrong += 1 }
                place += 1
            }
            #expect(place == rows.count && wrong == 0)
        }
    }

    @Test(arguments: [PostgresCopyFormat.text, .binary])
    func aRowThatCannotBeWrittenIsNamedAndTheOthersGoIn(_ format: PostgresCopyFormat) async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t (a int4, b text)")
            let count = try await pool.copyIn(into: "t", format: format) { writer in
                for number in 0..<5000 {
                    try await writer.write(Int32(number), "a")
                    let error = await #expect(throws: PostgresValueError.self) {
                        try await writer.write(Int32(number), "a\0b")
                    }
                    #expect(error?.code == .nulCharacter && error?.row == number + 1)
                    #expect(error?.column == (format == .text ? "column 2" : "b"))
                }
            }
            #expect(count == 5000)
            #expect(try await pool.one(Int.self, "SELECT sum(a)::int8 FROM t") == 12_497_500)
            let error = await #expect(throws: PostgresValueError.self) {
                try await pool.copyIn(
                    into: "t", format: format, rows: (0..<3000).map { (Int32($0), $0 == 2999 ? "\0" : "") })
            }
            #expect(error?.row == 2999)
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 5000)
        }
    }

    @Test func aSequenceThatEndsItselfEndsTheCopy() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t (a int8)")
            for format in [PostgresCopyFormat.text, .binary] {
                #expect(try await pool.copyIn(into: "t", format: format, rows: [Int]()) == 0)
                // As many as have their turn at a time, and one less and more.
                for count in [1, 2047, 2048, 2049, 100_000] {
                    #expect(try await pool.copyIn(into: "t", format: format, rows: 0..<count) == count)
                }
            }
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t WHERE a = 0") == 10)
        }
    }
}
