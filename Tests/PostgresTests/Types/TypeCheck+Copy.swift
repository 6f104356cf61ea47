import Postgres
import PostgresValues
import ReactorCore
import Testing

extension TypeCheck {
    /// Copies the values, arrays of them and NULL into a table, in text and where the type has it in binary, compares what the
    /// server makes of them with its own text, and copies them out again, in both forms.
    @ReactorActor
    func checkCopy(
        _ values: [Value], on connection: PostgresConnection, _ location: SourceLocation
    ) async throws {
        // A BitString is bound as bit varying, which a binary COPY of bit does not take.
        let isBinary =
            try !sql.hasPrefix("bit(") && values.allSatisfy { try $0.postgresParameter().format == .binary }
        for format in isBinary ? [PostgresCopyFormat.text, .binary] : [.text] {
            try await connection.script("CREATE TEMP TABLE copied (v \(sql), a \(sql)[], n int)")
            let count = try await connection.copyIn(into: "copied", format: format) { rows in
                for (number, value) in values.enumerated() {
                    let array: [Value?] = [value, nil]
                    try await rows.write(value, array, Int32(number))
                }
                try await rows.write(Value?.none, [Value?]?.none, Int32(values.count))
            }
            #expect(count == values.count + 1, sourceLocation: location)
            let same = try await connection.one(
                Int.self,
                """
                SELECT count(*) FROM copied /* \(raw: sql) */ JOIN held USING (n)
                WHERE \(raw: written.replacing("v", with: "copied.v")) IS NOT DISTINCT FROM
                    \(raw: written.replacing("v", with: "held.v"))
                    AND copied.a::text IS NOT DISTINCT FROM held.a::text
                """)
            #expect(same == values.count + 1, "\(sql), copied in as \(format)", sourceLocation: location)

            // A column of money, which has no binary decoder, makes all of them text.
            for query in [
                "SELECT v, a FROM copied ORDER BY n", "SELECT v, a, NULL::money FROM copied ORDER BY n",
            ] {
                var read: [Value?] = []
                for try await row in connection.copyRows(query: SQL(raw: query)) {
                    let value = try row.decode(Value?.self, at: 0)
                    let array = try row.decode([Value?]?.self, at: 1)
                    read.append(value)
                    let note: Comment = "\(sql), copied out as \(row.columns[0].format)"
                    #expect(
                        array?.map { $0.map(text) } == value.map { [text($0), nil] }, note,
                        sourceLocation: location)
                }
                #expect(
                    read.map { $0.map(text) } == values.map { text($0) } + [nil], "\(sql), copied out",
                    sourceLocation: location)
            }
            try await connection.script("DROP TABLE copied")
        }
    }
}
