/// Reads rows in COPY's binary form. See `PostgresCopyDecoder`.
public struct PostgresCopyBinaryDecoder: PostgresCopyDecoder {
    private let columnCount: Int
    private var buffer: [UInt8] = []
    /// How much the buffer must hold before it is worth looking again; spares walking a long row at every chunk.
    private var wanted = PostgresCopyBinaryEncoder.signature.count + 8
    private var state = State.header
    /// How many rows have been read.
    public private(set) var rowCount = 0

    private enum State {
        case header
        case rows
        case over
    }

    /// Starts to read rows of so many values; the builder given to `append` must have as many columns, all binary.
    public init(columnCount: Int) {
        self.columnCount = columnCount
    }

    /// Takes the next bytes and appends the cells of the rows that are complete.
    ///
    /// - Throws: `PostgresValueError(.malformed)`: no such header, critical flags that are not known (OIDs among
    ///   them), a row of more or fewer values, a negative length, or data behind the trailer.
    @discardableResult
    public mutating func append(_ chunk: UnsafeRawBufferPointer, into rows: inout PostgresRows.Builder)
        throws(PostgresValueError) -> Int
    {
        buffer.append(contentsOf: chunk)
        let before = rowCount
        var position = 0
        while buffer.count - position >= wanted {
            let next: Int? =
                switch state {
                case .header: try readHeader()
                case .rows: try readRow(at: position, into: &rows)
                case .over: throw copyError("bytes behind the trailer", row: rowCount)
                }
            guard let next else { break }
            position = next
        }
        buffer.removeFirst(position)
        return rowCount - before
    }

    /// Says that there is no more.
    ///
    /// - Throws: `PostgresValueError(.malformed)` when the trailer has not come.
    public mutating func finish() throws(PostgresValueError) {
        guard state == .over else { throw copyError("it ends before the trailer", row: rowCount) }
    }

    private mutating func readHeader() throws(PostgresValueError) -> Int? {
        let signature = PostgresCopyBinaryEncoder.signature
        guard buffer.starts(with: signature) else { throw copyError("no binary header", row: 0) }
        let flags = UInt32(bitPattern: number(Int32.self, at: signature.count))
        let extent = number(Int32.self, at: signature.count + 4)
        // The upper half of the flags says what a reader must understand; bit 16 was an OID per row.
        guard flags >> 16 == 0 else { throw copyError("unknown flags in the header", row: 0) }
        guard extent >= 0 else { throw copyError("a negative length in the header", row: 0) }
        let end = signature.count + 8 + Int(extent)
        guard buffer.count >= end else {
            wanted = end
            return nil
        }
        state = .rows
        wanted = 2
        return end
    }

    /// Appends the row at `start`; returns where it ends, nil when it is not all here.
    private mutating func readRow(at start: Int, into rows: inout PostgresRows.Builder)
        throws(PostgresValueError) -> Int?
    {
        var position = start + 2
        let count = number(Int16.self, at: start)
        if count == -1 {
            state = .over
            wanted = 1
            return position
        }
        guard Int(count) == columnCount else {
            throw copyError("a row of \(count) values instead of \(columnCount)", row: rowCount)
        }
        var cells: [Range<Int>?] = []
        for _ in 0..<columnCount {
            guard buffer.count - position >= 4 else {
                wanted = position + 4 - start
                return nil
            }
            let length = number(Int32.self, at: position)
            position += 4
            guard length >= 0 else {
                guard length == -1 else { throw copyError("a negative length", row: rowCount) }
                cells.append(nil)
                continue
            }
            guard buffer.count - position >= Int(length) else {
                wanted = position + Int(length) - start
                return nil
            }
            cells.append(position..<(position + Int(length)))
            position += Int(length)
        }
        buffer.withUnsafeBytes { bytes in
            for cell in cells {
                rows.append(cell.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) })
            }
        }
        rowCount += 1
        wanted = 2
        return position
    }

    private func number<I: FixedWidthInteger>(_: I.Type, at position: Int) -> I {
        buffer.withUnsafeBytes { I(bigEndian: $0.loadUnaligned(fromByteOffset: position, as: I.self)) }
    }
}
