/// Writes rows in COPY's text form: a line per row, a tab between values, `\N` for NULL, with the default options.
///
/// Takes every value, as the server reads text of any type. See `PostgresCopyEncoder`.
public struct PostgresCopyTextEncoder: PostgresCopyEncoder {
    private let columns: CopyColumns
    @usableFromInline var bytes: [UInt8] = []
    /// How many rows were appended.
    public var rowCount: Int { rows }
    @usableFromInline var rows = 0

    /// Starts the data of a `COPY`; the columns, where given, check the number of values and name errors.
    public init(columns: PostgresColumns? = nil) {
        self.columns = CopyColumns(columns: columns)
    }

    /// Text.
    public static var format: PostgresFormat { .text }

    /// How many bytes have gathered since they were last taken.
    @inlinable public var byteCount: Int { bytes.count }

    /// Appends one row of encoded values.
    ///
    /// - Throws: `PostgresValueError`: `.noSuchColumn` for a wrong number of values, `.conversion` for a binary value
    ///   whose text this module does not know; the bytes are as they were before.
    public mutating func append(row: [PostgresParameter]) throws(PostgresValueError) {
        try check(count: row.count)
        let start = bytes.count
        for (position, value) in row.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: "\t")) }
            do { try append(value) } catch { throw undo(to: start, error, position) }
        }
        bytes.append(UInt8(ascii: "\n"))
        rows += 1
    }

    /// Appends one row of values, `try encoder.append(1, "a", nil as Int?)`: as the form with parameters, and faster.
    ///
    /// - Throws: as that form; what a value throws that cannot be encoded.
    @inlinable
    public mutating func append<each Value: PostgresEncodable>(_ values: repeat each Value)
        throws(PostgresValueError)
    {
        var count = 0
        for _ in repeat (each Value).self { count += 1 }
        try check(count: count)
        let start = bytes.count
        var position = 0
        do {
            for value in repeat each values {
                if position > 0 { bytes.append(UInt8(ascii: "\t")) }
                if !value.appendCopyText(to: &bytes) { try append(try value.postgresParameter()) }
                position += 1
            }
        } catch {
            throw undo(to: start, error, position)
        }
        bytes.append(UInt8(ascii: "\n"))
        rows += 1
    }

    @usableFromInline
    mutating func append(_ value: PostgresParameter) throws(PostgresValueError) {
        guard let text = try value.textBytes() else { return bytes.appendCopyNull() }
        text.withUnsafeBufferPointer { text in
            if text.hasByteToEscape { bytes.append(escaping: text) } else { bytes.append(contentsOf: text) }
        }
    }

    @usableFromInline
    func check(count: Int) throws(PostgresValueError) { try columns.check(count: count, row: rowCount) }

    /// Takes back a row of which one value cannot be written.
    @usableFromInline @inline(never)
    mutating func undo(to start: Int, _ error: any Error, _ position: Int) -> PostgresValueError {
        bytes.removeLast(bytes.count - start)
        return .placing(error, row: rowCount, column: columns.name(position))
    }

    /// Hands over the bytes that have gathered.
    public mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// Gives memory back in which rows can gather again, when what it held has been sent.
    package mutating func reuse(_ memory: consuming [UInt8]) {
        guard bytes.isEmpty, memory.capacity > bytes.capacity else { return }
        memory.removeAll(keepingCapacity: true)
        bytes = memory
    }

    /// Hands over the last bytes; the form has no mark of its own for the end.
    public mutating func finish() -> [UInt8] { take() }
}
