/// Reads the attributes of a row from left to right.
public struct PostgresAttributes {
    private struct Attribute {
        var oid: PostgresTypeOID
        var bytes: [UInt8]?
    }

    private var list: [Attribute] = []
    private let format: PostgresFormat
    private let oid: PostgresTypeOID
    /// The position of the next attribute, from 0.
    public private(set) var position = 0

    /// How many attributes are left.
    public var remaining: Int { list.count - position }

    init(_ cell: PostgresCell, wanted: Any.Type) throws(PostgresValueError) {
        guard cell.oid == .record || cell.oid.isOpaque else { throw cell.mismatch(wanted) }
        let bytes = try cell.required(for: wanted)
        format = cell.format
        oid = cell.oid
        switch cell.format {
        case .binary:
            var reader = PostgresBinaryReader(bytes, oid: cell.oid, wanted: wanted)
            for _ in 0..<max(0, try reader.integer(Int32.self)) {
                let oid = PostgresTypeOID(rawValue: try reader.integer())
                list.append(Attribute(oid: oid, bytes: try reader.sized().map { Array($0) }))
            }
            try reader.end()
        case .text:
            guard let values = Self.parse(bytes) else {
                throw cell.malformed(wanted, "not the text of a row")
            }
            list = values.map { Attribute(oid: .unknown, bytes: $0) }
        }
    }

    /// Reads the next attribute.
    ///
    /// The text of a row does not tell the attributes' types; they are taken to be what the Swift type is bound as.
    ///
    /// - Throws: `PostgresValueError` with the attribute's number: `.malformed` when there is none left, what the type
    ///   throws.
    public mutating func next<T: PostgresDecodable>(_: T.Type = T.self) throws -> T {
        guard position < list.count else {
            throw PostgresValueError(
                .malformed, "the \(oid) has \(list.count) attributes, and one more was to be read")
        }
        let attribute = list[position]
        position += 1
        let type = format == .text ? attribute.oid.assumed(for: T.self) : attribute.oid
        do {
            return try PostgresParameter(oid: type, format: format, bytes: attribute.bytes).withCell { cell in
                try T.decode(cell)
            }
        } catch {
            var error =
                error as? PostgresValueError
                ?? PostgresValueError(.conversion, "cannot convert \(type)", underlying: error)
            error.message = "attribute \(position) of \(oid): \(error.message)"
            error.suggestedCast = nil
            throw error
        }
    }

    /// `(a,"b ""c""",)`: nothing between commas is NULL, `""` an empty text, doubled quotes and backslashes stand for
    /// one.
    private static func parse(_ bytes: UnsafeRawBufferPointer) -> [[UInt8]?]? {
        var rest = bytes[...]
        guard rest.popFirst() == UInt8(ascii: "("), rest.popLast() == UInt8(ascii: ")") else { return nil }
        if rest.isEmpty { return [nil] }
        var values: [[UInt8]?] = []
        while true {
            var part: [UInt8] = []
            var isThere = false
            var isQuoted = false
            while let byte = rest.first, isQuoted || byte != UInt8(ascii: ",") {
                rest.removeFirst()
                isThere = true
                switch byte {
                case UInt8(ascii: "\\"):
                    guard let escaped = rest.popFirst() else { return nil }
                    part.append(escaped)
                case UInt8(ascii: "\"") where isQuoted && rest.first == byte:
                    rest.removeFirst()
                    part.append(byte)
                case UInt8(ascii: "\""): isQuoted.toggle()
                default: part.append(byte)
                }
            }
            if isQuoted { return nil }
            values.append(isThere ? part : nil)
            if rest.popFirst() == nil { return values }
        }
    }
}
