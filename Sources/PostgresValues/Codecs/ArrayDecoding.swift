/// Reads one-dimensional arrays.
enum ArrayDecoding {
    static func decode<T: PostgresDecodable>(_ cell: PostgresCell) throws -> [T] {
        // The element type of an array of a type made in the database is not known here; its own number, which is
        // as user-defined, stands for it.
        guard let element = cell.oid.arrayElement ?? (cell.oid.isUserDefined ? cell.oid : nil) else {
            throw cell.mismatch([T].self)
        }
        let bytes = try cell.required(for: [T].self)
        switch cell.format {
        case .binary: return try binary(bytes, cell)
        case .text: return try text(bytes, element: element, cell)
        }
    }

    private static func binary<T: PostgresDecodable>(_ bytes: UnsafeRawBufferPointer, _ cell: PostgresCell)
        throws
        -> [T]
    {
        var offset = 0
        func number() throws(PostgresValueError) -> Int {
            guard bytes.count - offset >= 4 else { throw cell.malformed([T].self, "it ends early") }
            defer { offset += 4 }
            return Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
        }
        let dimensions = try number()
        _ = try number()
        let element = PostgresTypeOID(rawValue: UInt32(truncatingIfNeeded: try number()))
        if dimensions == 0 { return [] }
        guard dimensions == 1 else { throw manyDimensions(cell, [T].self) }
        let count = try number()
        _ = try number()
        var values: [T] = []
        // Each element takes four bytes at least: no claim in the header may reserve more.
        values.reserveCapacity(min(max(count, 0), bytes.count / 4))
        for _ in 0..<max(count, 0) {
            let length = try number()
            var part: UnsafeRawBufferPointer?
            if length >= 0 {
                guard bytes.count - offset >= length else { throw cell.malformed([T].self, "it ends early") }
                part = UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + length)])
                offset += length
            }
            values.append(try T.decode(PostgresCell(oid: element, format: .binary, bytes: part)))
        }
        return values
    }

    private static func text<T: PostgresDecodable>(
        _ bytes: UnsafeRawBufferPointer, element: PostgresTypeOID, _ cell: PostgresCell
    ) throws -> [T] {
        var rest = bytes[...]
        // `[2:3]={1,2}`: a lower bound that is not 1.
        if rest.first == UInt8(ascii: "["), let equals = rest.firstIndex(of: UInt8(ascii: "=")) {
            rest = rest[(equals + 1)...]
        }
        guard rest.popFirst() == UInt8(ascii: "{"), rest.popLast() == UInt8(ascii: "}") else {
            throw cell.malformed([T].self, "no braces")
        }
        if rest.isEmpty { return [] }
        var values: [T] = []
        while true {
            let (part, ending) = try item(&rest, cell, [T].self)
            let value: T
            if let part {
                value = try part.withUnsafeBytes {
                    try T.decode(PostgresCell(oid: element, format: .text, bytes: $0))
                }
            } else {
                value = try T.decode(PostgresCell(oid: element, format: .text, bytes: nil))
            }
            values.append(value)
            if ending { return values }
        }
    }

    /// Takes one element and the comma behind it; nil for NULL, and whether it was the last.
    private static func item(
        _ rest: inout Slice<UnsafeRawBufferPointer>, _ cell: PostgresCell, _ wanted: Any.Type
    )
        throws(PostgresValueError) -> ([UInt8]?, Bool)
    {
        var part: [UInt8] = []
        let isQuoted = rest.first == UInt8(ascii: "\"")
        if isQuoted {
            rest.removeFirst()
            while true {
                guard let byte = rest.popFirst() else { throw cell.malformed(wanted, "an unclosed quote") }
                if byte == UInt8(ascii: "\"") { break }
                guard byte == UInt8(ascii: "\\") else {
                    part.append(byte)
                    continue
                }
                guard let escaped = rest.popFirst() else { throw cell.malformed(wanted, "an unclosed quote") }
                part.append(escaped)
            }
        } else {
            if rest.first == UInt8(ascii: "{") { throw manyDimensions(cell, wanted) }
            while let byte = rest.first, byte != UInt8(ascii: ",") {
                part.append(byte)
                rest.removeFirst()
            }
        }
        let separator = rest.popFirst()
        guard separator == nil || separator == UInt8(ascii: ",") else {
            throw cell.malformed(wanted, "no comma behind a quote")
        }
        let isNull = !isQuoted && part == Array("NULL".utf8)
        return (isNull ? nil : part, separator == nil)
    }

    private static func manyDimensions(_ cell: PostgresCell, _ wanted: Any.Type) -> PostgresValueError {
        cell.malformed(wanted, "it has more than one dimension")
    }
}
