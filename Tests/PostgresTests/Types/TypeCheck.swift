import FoundationEssentials
import Postgres
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

/// What the tests of types have in common: a database, and a seed that is printed so that a failure can be repeated by
/// `TYPES_SEED=…`.
enum TypeTests {
    static let database = Result { try Database() }

    static let seed: UInt64 = {
        let seed =
            ProcessInfo.processInfo.environment["TYPES_SEED"].flatMap { UInt64($0) }
            ?? .random(in: 0...UInt64.max)
        print("TYPES_SEED=\(seed)")
        return seed
    }()

    /// Runs `body` on a connection whose settings are the usual ones.
    static func withConnection(
        _ body: @escaping @Sendable @ReactorActor (PostgresConnection) async throws -> Void
    ) async throws {
        try await database.get().withConnection { connection in
            try await connection.script(
                "SET TimeZone = 'UTC'; SET DateStyle = ISO; SET IntervalStyle = postgres")
            try await body(connection)
        }
    }
}

/// Compares what one Swift type makes of one SQL type with the server's own text.
struct TypeCheck<Value: PostgresArrayElement & Equatable> {
    /// The SQL type.
    let sql: String
    /// The text that the server is expected to write for a value.
    let text: @Sendable (Value) -> String
    /// How the server is asked for its text. A cast is another function than the output for some types.
    var written = "v::text"

    init(_ sql: String, _: Value.Type = Value.self, text: @escaping @Sendable (Value) -> String) {
        self.sql = sql
        self.text = text
    }

    init(_ sql: String, _: Value.Type = Value.self) where Value: CustomStringConvertible {
        self.init(sql) { $0.description }
    }

    /// Reads literals, binds what was read, puts it into a table and reads it from there: alone, in an array, and NULL;
    /// each in text first and then, where the type has one, in binary.
    @ReactorActor
    func check(
        _ literals: [String], on connection: PostgresConnection, location: SourceLocation = #_sourceLocation
    ) async throws {
        let quoted = literals.map { "'\($0.replacing("'", with: "''"))'" }.joined(separator: ",")
        let select = SQL(
            raw: "SELECT v, \(written), ARRAY[v, NULL]::\(sql)[] FROM unnest(ARRAY[\(quoted)]::\(sql)[]) v")
        var values: [Value] = []
        // Prepared at the second use, and in binary once the server has described it.
        for round in 0..<3 {
            let rows = try await connection.query(select, timeout: nil)
            let isBinary = rows.columns.allSatisfy(\.oid.hasBinaryDecoder) && round == 2
            #expect(rows.columns[0].format == (isBinary ? .binary : .text), sourceLocation: location)
            #expect(rows.count == literals.count, sourceLocation: location)
            values = try rows.map { try compare($0, location) }
        }
        for value in values {
            let array: [Value?] = [value, nil]
            let rows = try await connection.query(
                """
                SELECT v, \(raw: written), \(array)::\(raw: sql)[],
                    \(Value?.none)::\(raw: sql) IS NULL, \([Value]?.none)::\(raw: sql)[] IS NULL
                FROM (SELECT \(value)::\(raw: sql) AS v) s
                """, timeout: nil)
            let read = text(try compare(rows[0], location))
            #expect(read == text(value), sourceLocation: location)
            #expect(
                try rows[0].decode(Bool.self, at: 3) && rows[0].decode(Bool.self, at: 4),
                sourceLocation: location)
        }
        try await checkTable(values, on: connection, location)
    }

    @ReactorActor
    private func checkTable(
        _ values: [Value], on connection: PostgresConnection, _ location: SourceLocation
    ) async throws {
        try await connection.script("CREATE TEMP TABLE held (v \(sql), t text, a \(sql)[], n int)")
        for (number, value) in values.enumerated() {
            let array: [Value?] = [value, nil]
            _ = try await connection.query(
                "INSERT INTO held /* \(raw: sql) */ VALUES (\(value), NULL, \(array), \(number))",
                timeout: nil)
        }
        _ = try await connection.query(
            "INSERT INTO held /* \(raw: sql) */ VALUES (\(Value?.none), NULL, \([Value]?.none), \(values.count))",
            timeout: nil)
        for _ in 0..<3 {
            let rows = try await connection.query(
                "SELECT v, \(raw: written), a FROM held /* \(raw: sql) */ ORDER BY n", timeout: nil)
            #expect(rows.count == values.count + 1, sourceLocation: location)
            for (row, value) in zip(rows, values) {
                let read = text(try compare(row, location))
                #expect(read == text(value), sourceLocation: location)
            }
            let last = rows[values.count]
            #expect(try last.decode(Value?.self, at: 0) == nil, sourceLocation: location)
            #expect(try last.decode([Value]?.self, at: 2) == nil, sourceLocation: location)
            let error = #expect(throws: PostgresValueError.self, sourceLocation: location) {
                try last.decode(Value.self, at: 0)
            }
            #expect(error?.code == .unexpectedNull && error?.column == "v", sourceLocation: location)
            #expect(error?.row == values.count, sourceLocation: location)
        }
        try await checkCopy(values, on: connection, location)
        try await connection.script("DROP TABLE held")
    }

    /// A row of a value, its text by the server, and an array of the value and NULL.
    private func compare(_ row: PostgresRow, _ location: SourceLocation) throws -> Value {
        let value = try row.decode(Value.self, at: 0)
        let written = try row.decode(String.self, at: 1)
        #expect(text(value) == written, "\(sql)", sourceLocation: location)
        let array = try row.decode([Value?].self, at: 2)
        #expect(array.count == 2 && array[1] == nil, "\(sql)", sourceLocation: location)
        #expect(array.first?.map(text) == written, "\(sql)", sourceLocation: location)
        return value
    }

    /// Sends ten thousand random values in arrays and reads them one by one, in text and in binary.
    ///
    /// - Parameter isCanonical: Whether the server writes a value as it was sent.
    @ReactorActor
    func checkRandom(
        on connection: PostgresConnection, isCanonical: Bool = true,
        location: SourceLocation = #_sourceLocation,
        make: (inout SeededGenerator) -> Value
    ) async throws {
        var random = SeededGenerator(seed: TypeTests.seed)
        for batch in 0..<10 {
            let values = (0..<1000).map { _ in make(&random) }
            // A column of money, which has no binary decoder, keeps the odd batches in text.
            let rows = try await connection.query(
                batch.isMultiple(of: 2)
                    ? "SELECT v, \(raw: written) FROM unnest(\(values)::\(raw: sql)[]) v"
                    : "SELECT v, \(raw: written), NULL::money FROM unnest(\(values)::\(raw: sql)[]) v",
                timeout: nil)
            #expect(rows.count == values.count, sourceLocation: location)
            var wrong: [String] = []
            for (row, sent) in zip(rows, values) {
                let value = try row.decode(Value.self, at: 0)
                let written = try row.decode(String.self, at: 1)
                // NaN is not equal to itself; its text is.
                let isSent = !isCanonical || value == sent || text(sent) == written
                if !isSent || text(value) != written {
                    wrong.append("sent \(text(sent)), read \(text(value)), the server wrote \(written)")
                }
            }
            let note: Comment =
                "\(sql), seed \(TypeTests.seed), \(rows.columns[0].format): \(wrong.prefix(3))"
            #expect(wrong.isEmpty, note, sourceLocation: location)
        }
    }
}
