/// Reads the rows of a `COPY … TO STDOUT`, from data cut at any byte.
///
/// ```swift
/// var rows = PostgresRows.Builder(columns: columns)
/// try decoder.append(chunk, into: &rows)      // as often as there are chunks
/// try decoder.finish()
/// ```
public protocol PostgresCopyDecoder: Sendable {
    /// How many rows have been read.
    var rowCount: Int { get }

    /// Takes the next bytes and appends the cells of the rows that are complete, each with all of its columns.
    ///
    /// - Returns: How many rows were appended.
    /// - Throws: `PostgresValueError(.malformed)` with the row's number; nothing more can be read then.
    mutating func append(_ chunk: UnsafeRawBufferPointer, into rows: inout PostgresRows.Builder)
        throws(PostgresValueError) -> Int

    /// Says that there is no more.
    ///
    /// - Throws: `PostgresValueError(.malformed)` when the data ended inside a row.
    mutating func finish() throws(PostgresValueError)
}

extension PostgresCopyDecoder {
    /// Takes the next bytes from an array; see the other form.
    @discardableResult
    public mutating func append(_ chunk: [UInt8], into rows: inout PostgresRows.Builder)
        throws(PostgresValueError) -> Int
    {
        try chunk.withUnsafeBytesTyped { bytes throws(PostgresValueError) in
            try append(bytes, into: &rows)
        }
    }
}

/// An error in COPY data.
func copyError(_ message: String, row: Int) -> PostgresValueError {
    var error = PostgresValueError(.malformed, "cannot read the COPY data: \(message)")
    error.row = row
    return error
}
