/// Writes rows in COPY's text form: a line per row, a tab between values, `\N` for NULL, with the default options.
///
/// Takes every value, as the server reads text of any type. See `PostgresCopyEncoder`.
public struct PostgresCopyTextEncoder: PostgresCopyEncoder {
    private let columns: CopyColumns
    private var bytes: [UInt8] = []
    /// How many rows were appended.
    public private(set) var rowCount = 0

    /// Starts the data of a `COPY`; the columns, where given, check the number of values and name errors.
    public init(columns: PostgresColumns? = nil) {
        self.columns = CopyColumns(columns: columns)
    }

    /// Text.
    public static var format: PostgresFormat { .text }

    /// How many bytes have gathered since they were last taken.
    public var byteCount: Int { bytes.count }

    /// Appends one row of encoded values.
    ///
    /// - Throws: `PostgresValueError`: `.noSuchColumn` for a wrong number of values, `.conversion` for a binary value
    ///   whose text this module does not know; the bytes are as they were before.
    public mutating func append(row: [PostgresParameter]) throws(PostgresValueError) {
        try columns.check(count: row.count, row: rowCount)
        let start = bytes.count
        for (position, value) in row.enumerated() {
            if position > 0 {
                bytes.append(UInt8(ascii: "\t"))
            }
            do {
                guard let text = try value.textBytes() else {
                    bytes.append(contentsOf: "\\N".utf8)
                    continue
                }
                append(escaping: text)
            } catch {
                bytes.removeLast(bytes.count - start)
                throw .placing(error, row: rowCount, column: columns.name(position))
            }
        }
        bytes.append(UInt8(ascii: "\n"))
        rowCount += 1
    }

    /// Hands over the bytes that have gathered.
    public mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// Hands over the last bytes; the form has no mark of its own for the end.
    public mutating func finish() -> [UInt8] { take() }

    private mutating func append(escaping text: [UInt8]) {
        guard text.contains(where: { $0 == UInt8(ascii: "\\") || (0x08...0x0D).contains($0) }) else {
            bytes.append(contentsOf: text)
            return
        }
        for byte in text {
            let letter: UInt8? =
                switch byte {
                case UInt8(ascii: "\\"): byte
                case 0x08: UInt8(ascii: "b")
                case 0x09: UInt8(ascii: "t")
                case 0x0A: UInt8(ascii: "n")
                case 0x0B: UInt8(ascii: "v")
                case 0x0C: UInt8(ascii: "f")
                case 0x0D: UInt8(ascii: "r")
                default: nil
                }
            if letter != nil {
                bytes.append(UInt8(ascii: "\\"))
            }
            bytes.append(letter ?? byte)
        }
    }
}
