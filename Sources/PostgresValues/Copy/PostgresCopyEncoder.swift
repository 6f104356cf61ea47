/// Writes the rows of a `COPY … FROM STDIN`.
///
/// Pure: rows go in, bytes come out. Take the bytes when enough have gathered, and those of `finish()` last.
public protocol PostgresCopyEncoder: Sendable {
    /// The form to be named in the statement, `FORMAT text` or `FORMAT binary`.
    static var format: PostgresFormat { get }

    /// How many bytes have gathered since they were last taken.
    var byteCount: Int { get }

    /// How many rows were appended.
    var rowCount: Int { get }

    /// Appends one row of encoded values.
    ///
    /// - Throws: `PostgresValueError` with the row's number and the column; the bytes are as they were before.
    mutating func append(row: [PostgresParameter]) throws(PostgresValueError)

    /// Hands over the bytes that have gathered; a cut between rows is nothing to the server.
    mutating func take() -> [UInt8]

    /// Ends the data and hands over the last bytes.
    mutating func finish() -> [UInt8]
}

extension PostgresCopyEncoder {
    /// Appends one row of values, `try encoder.append(1, "a", nil as Int?)`.
    ///
    /// - Throws: `PostgresValueError` with the row's number; the bytes are as they were before.
    public mutating func append<each Value: PostgresEncodable>(_ values: repeat each Value)
        throws(PostgresValueError)
    {
        var row: [PostgresParameter] = []
        do {
            for value in repeat each values {
                row.append(try value.postgresParameter())
            }
        } catch {
            throw .placing(error, row: rowCount, column: "column \(row.count + 1)")
        }
        try append(row: row)
    }
}

/// The columns of a COPY, as far as they are known.
struct CopyColumns: Sendable {
    let columns: PostgresColumns?

    func check(count: Int, row: Int) throws(PostgresValueError) {
        guard let columns, columns.count != count else { return }
        var error = PostgresValueError(
            .noSuchColumn, "a row of \(count) values for a COPY of \(columns.count) columns")
        error.row = row
        throw error
    }

    func name(_ position: Int) -> String {
        columns.map { $0[position].name } ?? "column \(position + 1)"
    }

    func oid(_ position: Int) -> PostgresTypeOID? {
        columns.map { $0[position].oid }
    }
}
