// An array of bytes is a byte string, `bytea`, not an SQL array; a byte alone is a small number.
extension UInt8: PostgresArrayElement {
    /// An `int2`, as PostgreSQL has no unsigned byte.
    public func postgresParameter() -> PostgresParameter { Int16(self).postgresParameter() }

    /// A NULL `int2`.
    public static var postgresNull: PostgresParameter { .null(.int2) }

    /// Reads an integer of any width.
    ///
    /// - Throws: `PostgresValueError`: `.outOfRange` when the value does not fit, `.typeMismatch`, `.unexpectedNull`.
    public static func decode(_ cell: PostgresCell) throws -> UInt8 { try decodeInteger(cell, cast: "int2") }

    /// A `bytea` of the bytes.
    public static func encodeArray(_ elements: [UInt8]) -> PostgresParameter {
        PostgresParameter(oid: .bytea, format: .binary, bytes: elements)
    }

    /// A NULL `bytea`.
    public static var postgresNullArray: PostgresParameter { .null(.bytea) }

    /// Reads `bytea`: binary, the text form `\x…`, and the text form of `bytea_output = escape`.
    ///
    /// - Throws: `PostgresValueError`: `.typeMismatch`, `.malformed`, `.unexpectedNull`.
    public static func decodeArray(_ cell: PostgresCell) throws -> [UInt8] {
        guard cell.oid == .bytea else { throw cell.mismatch([UInt8].self, cast: "bytea") }
        let bytes = try cell.required(for: [UInt8].self)
        switch cell.format {
        case .binary: return Array(bytes)
        case .text:
            let isHex = bytes.count >= 2 && bytes[0] == UInt8(ascii: "\\") && bytes[1] == UInt8(ascii: "x")
            guard let value = isHex ? parseHex(bytes.dropFirst(2)) : parseEscapes(bytes[...]) else {
                throw cell.malformed([UInt8].self, isHex ? "not hexadecimal" : "not the escape form")
            }
            return value
        }
    }
}

func parseHex(_ text: Slice<UnsafeRawBufferPointer>) -> [UInt8]? {
    guard text.count.isMultiple(of: 2) else { return nil }
    var value: [UInt8] = []
    value.reserveCapacity(text.count / 2)
    var high: UInt8?
    for character in text {
        guard let digit = hexDigit(character) else { return nil }
        if let first = high {
            value.append(first << 4 | digit)
            high = nil
        } else {
            high = digit
        }
    }
    return value
}

/// The number that an ASCII hexadecimal digit stands for.
func hexDigit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// `\\` is a backslash, `\ooo` a byte in octal, everything else stands for itself.
private func parseEscapes(_ text: Slice<UnsafeRawBufferPointer>) -> [UInt8]? {
    let backslash = UInt8(ascii: "\\")
    var value: [UInt8] = []
    value.reserveCapacity(text.count)
    var rest = text
    while let character = rest.popFirst() {
        guard character == backslash else {
            value.append(character)
            continue
        }
        if rest.first == backslash {
            rest.removeFirst()
            value.append(backslash)
            continue
        }
        let octal = rest.prefix(3)
        guard octal.count == 3, octal.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "7") }),
            let byte = UInt8(exactly: octal.reduce(0) { $0 * 8 + Int($1 - UInt8(ascii: "0")) })
        else { return nil }
        value.append(byte)
        rest = rest.dropFirst(3)
    }
    return value
}
