/// Writes rows in COPY's binary form.
///
/// The server takes each value's bytes for the column's own type without looking, so the types must agree exactly:
/// give the columns, and integers are widened or narrowed with a check, texts go to text columns, elements of arrays as
/// they would by themselves, and everything that would be misread is refused here. See `PostgresCopyEncoder`.
public struct PostgresCopyBinaryEncoder: PostgresCopyEncoder {
    /// What the data begins with; the bytes beyond ASCII and the line ends show a damaged transfer.
    static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF] + Array("\r\n\0".utf8)

    private let columns: CopyColumns
    /// The columns' types, where they are known.
    @usableFromInline let oids: [PostgresTypeOID]
    /// The signature, the flags and the length of an extension, both 0, stand at the beginning from the start.
    @usableFromInline var bytes: [UInt8] = Self.signature + [0, 0, 0, 0, 0, 0, 0, 0]
    /// How many rows were appended.
    public var rowCount: Int { rows }
    @usableFromInline var rows = 0

    /// Starts the data of a `COPY … (FORMAT binary)`. Without the columns, values must be binary and of the columns'
    /// exact types, on the caller's word.
    public init(columns: PostgresColumns? = nil) {
        self.columns = CopyColumns(columns: columns)
        oids = columns.map { $0.map(\.oid) } ?? []
    }

    /// Binary.
    public static var format: PostgresFormat { .binary }

    /// How many bytes have gathered since they were last taken.
    @inlinable public var byteCount: Int { bytes.count }

    /// Appends one row of encoded values.
    ///
    /// - Throws: `PostgresValueError`: `.noSuchColumn` for a wrong number of values; `.typeMismatch` for a value of
    ///   another type than the column's, or in text; `.outOfRange` for an integer too big for its column. The bytes
    ///   are as they were before.
    public mutating func append(row: [PostgresParameter]) throws(PostgresValueError) {
        try columns.check(count: row.count, row: rowCount)
        let start = bytes.count
        guard let count = Int16(exactly: row.count) else {
            throw PostgresValueError(.outOfRange, "a row of \(row.count) values cannot be copied")
        }
        bytes.appendBigEndian(count)
        for (position, value) in row.enumerated() {
            do { try append(value, position) } catch { throw undo(to: start, error, position) }
        }
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
        if count != oids.count { try check(count: count) }
        let start = bytes.count
        bytes.appendBigEndian(Int16(truncatingIfNeeded: count))  // a call has not that many arguments
        var position = 0
        do {
            for value in repeat each values {
                if oids.isEmpty || !value.appendCopyCell(to: &bytes, column: oids[position]) {
                    try append(try value.postgresParameter(), position)
                }
                position += 1
            }
        } catch {
            throw undo(to: start, error, position)
        }
        rows += 1
    }

    @usableFromInline
    func check(count: Int) throws(PostgresValueError) { try columns.check(count: count, row: rowCount) }

    /// Takes back a row of which one value cannot be written.
    @usableFromInline @inline(never)
    mutating func undo(to start: Int, _ error: any Error, _ position: Int) -> PostgresValueError {
        bytes.removeLast(bytes.count - start)
        return .placing(error, row: rowCount, column: columns.name(position))
    }

    @usableFromInline
    mutating func append(_ value: PostgresParameter, _ position: Int) throws(PostgresValueError) {
        guard let cell = try value.binaryBytes(for: columns.oid(position)) else {
            return bytes.appendBigEndian(Int32(-1))
        }
        guard let length = Int32(exactly: cell.count) else {
            throw PostgresValueError(.outOfRange, "\(cell.count) bytes are too many for one value")
        }
        bytes.appendBigEndian(length)
        bytes.append(contentsOf: cell)
    }

    /// Hands over the bytes that have gathered, before the first row the header.
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

    /// Ends the data by its trailer, without which the server refuses it, and hands over the last bytes.
    public mutating func finish() -> [UInt8] {
        bytes.appendBigEndian(Int16(-1))
        return take()
    }
}

extension PostgresParameter {
    /// The value's binary form for a column of the given type, nil for NULL.
    func binaryBytes(for column: PostgresTypeOID?) throws(PostgresValueError) -> [UInt8]? {
        guard let bytes else { return nil }
        let column = column ?? oid
        guard format == .binary else {
            // Types whose binary form is their text; an enum's is its label, and citext is text.
            if column.isTextInBinary || column.isUserDefined { return bytes }
            if column == .jsonb { return [1] + bytes }
            if let element = column.arrayElement { return try binaryArray(of: element) }
            throw PostgresValueError(
                .typeMismatch,
                "a text value cannot go into a binary COPY of \(column); copy as text, or give a value that is "
                    + "bound in binary")
        }
        if column == oid || column.isUserDefined || oid == .inferred { return bytes }
        if let element = column.arrayElement, oid.arrayElement != nil { return try binaryArray(of: element) }
        func integer<I: FixedWidthInteger>(_: I.Type) throws(PostgresValueError) -> [UInt8] {
            let value: I = try withCell { cell throws(PostgresValueError) in
                try decodeInteger(cell, cast: "")
            }
            return withUnsafeBytes(of: value.bigEndian) { Array($0) }
        }
        switch (oid, column) {
        case (.int2, .int4), (.int8, .int4), (.oid, .int4): return try integer(Int32.self)
        case (.int4, .int2), (.int8, .int2), (.oid, .int2): return try integer(Int16.self)
        case (.int2, .int8), (.int4, .int8), (.oid, .int8): return try integer(Int64.self)
        // One form for both; the server checks that a `bit(n)` gets n bits.
        case (.varbit, .bit), (.bit, .varbit): return bytes
        case (.int2, .oid), (.int4, .oid), (.int8, .oid): return try integer(UInt32.self)
        default:
            throw PostgresValueError(
                .typeMismatch, "\(oid) cannot go into a binary COPY of \(column); convert it, or copy as text"
            )
        }
    }
    /// The binary form of an array, its elements in those for the column's elements.
    private func binaryArray(of element: PostgresTypeOID) throws(PostgresValueError) -> [UInt8] {
        var array = try ArrayModel(self, wanted: [String].self)
        for (position, item) in array.items.enumerated() {
            array.items[position] = try PostgresParameter(
                oid: array.element, format: array.format, bytes: item
            ).binaryBytes(for: element)
        }
        (array.element, array.format) = (element, .binary)
        return array.binary()
    }
}
