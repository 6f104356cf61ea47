/// Reads rows in COPY's text form with the default options. See `PostgresCopyDecoder`.
public struct PostgresCopyTextDecoder: PostgresCopyDecoder {
    private let columnCount: Int
    /// The line that has not ended yet.
    private var line: [UInt8] = []
    /// Whether the line so far ends with a backslash that belongs to the next byte.
    private var isEscaped = false
    /// Whether `\.` was read.
    private var isOver = false
    /// How many rows have been read.
    public private(set) var rowCount = 0

    /// Starts to read lines of so many values; the builder given to `append` must have as many columns, all text.
    public init(columnCount: Int) {
        self.columnCount = columnCount
    }

    /// Takes the next bytes and appends the cells of the lines that are complete.
    ///
    /// - Throws: `PostgresValueError(.malformed)` for a line of more or fewer values.
    @discardableResult
    public mutating func append(_ chunk: UnsafeRawBufferPointer, into rows: inout PostgresRows.Builder)
        throws(PostgresValueError) -> Int
    {
        var count = 0
        for byte in chunk {
            if byte == UInt8(ascii: "\n") && !isEscaped {
                try endLine(&rows)
                count += isOver ? 0 : 1
                continue
            }
            line.append(byte)
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        return count
    }

    /// Says that there is no more.
    ///
    /// - Throws: `PostgresValueError(.malformed)` when the last line has no end.
    public mutating func finish() throws(PostgresValueError) {
        guard line.isEmpty else { throw copyError("it ends inside a line", row: rowCount) }
    }

    private mutating func endLine(_ rows: inout PostgresRows.Builder) throws(PostgresValueError) {
        defer { line.removeAll(keepingCapacity: true) }
        if isOver { throw copyError("a line behind the end mark", row: rowCount) }
        if line == Array("\\.".utf8) {
            isOver = true
            return
        }
        if columnCount == 0 && line.isEmpty {
            rowCount += 1
            return
        }
        var cells: [[UInt8]?] = []
        var start = 0
        while true {
            var end = start
            while end < line.count && line[end] != UInt8(ascii: "\t") {
                end += line[end] == UInt8(ascii: "\\") ? 2 : 1
            }
            end = min(end, line.count)
            cells.append(Self.value(line[start..<end]))
            if end == line.count { break }
            start = end + 1
        }
        guard cells.count == columnCount else {
            throw copyError("a line of \(cells.count) values instead of \(columnCount)", row: rowCount)
        }
        for cell in cells {
            rows.append(cell)
        }
        rowCount += 1
    }

    /// `\N` is NULL; `\b` … `\v` are control characters, `\ooo` and `\xhh` are bytes, and a backslash before
    /// anything else is dropped.
    private static func value(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let backslash = UInt8(ascii: "\\")
        guard text.contains(backslash) else { return Array(text) }
        if text.elementsEqual("\\N".utf8) { return nil }
        var value: [UInt8] = []
        value.reserveCapacity(text.count)
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == backslash, let letter = rest.popFirst() else {
                value.append(byte)
                continue
            }
            switch letter {
            case UInt8(ascii: "b"): value.append(0x08)
            case UInt8(ascii: "t"): value.append(0x09)
            case UInt8(ascii: "n"): value.append(0x0A)
            case UInt8(ascii: "v"): value.append(0x0B)
            case UInt8(ascii: "f"): value.append(0x0C)
            case UInt8(ascii: "r"): value.append(0x0D)
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                let digits = [letter] + rest.prefix { (0x30...0x37).contains($0) }.prefix(2)
                rest = rest.dropFirst(digits.count - 1)
                value.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 * 8 + Int($1 - 0x30) }))
            case UInt8(ascii: "x") where rest.first.flatMap(hexDigit) != nil:
                let digits = rest.prefix { hexDigit($0) != nil }.prefix(2)
                rest = rest.dropFirst(digits.count)
                value.append(digits.reduce(0) { $0 << 4 | (hexDigit($1) ?? 0) })
            default: value.append(letter)
            }
        }
        return value
    }
}
