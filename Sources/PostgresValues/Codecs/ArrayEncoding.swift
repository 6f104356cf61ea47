/// Writes one-dimensional arrays.
enum ArrayEncoding {
    static func encode(_ elements: [PostgresParameter], null: PostgresParameter) throws(PostgresValueError)
        -> PostgresParameter
    {
        let type = null.oid
        let isBinary = elements.allSatisfy { $0.bytes == nil || ($0.format == .binary && $0.oid == type) }
        if let array = arrayType(of: type), isBinary {
            return PostgresParameter(oid: array, format: .binary, bytes: binary(elements, type: type))
        }
        return PostgresParameter(oid: .inferred, format: .text, bytes: try text(elements))
    }

    /// The array type of an element type, where it is known.
    static func arrayType(of element: PostgresTypeOID) -> PostgresTypeOID? {
        switch element {
        case .bool: .boolArray
        case .bytea: .byteaArray
        case .int2: .int2Array
        case .int4: .int4Array
        case .int8: .int8Array
        case .oid: .oidArray
        case .float4: .float4Array
        case .float8: .float8Array
        case .timestamptz: .timestamptzArray
        case .uuid: .uuidArray
        default: nil
        }
    }

    /// Dimensions, whether there are NULLs, element type; size and lower bound; then length and bytes of each. An
    /// empty array has no dimensions and ends after the type.
    private static func binary(_ elements: [PostgresParameter], type: PostgresTypeOID) -> [UInt8] {
        var bytes: [UInt8] = []
        func append(_ number: Int32) {
            withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
        }
        append(elements.isEmpty ? 0 : 1)
        append(elements.contains { $0.bytes == nil } ? 1 : 0)
        append(Int32(bitPattern: type.rawValue))
        if elements.isEmpty { return bytes }
        append(Int32(elements.count))
        append(1)
        for element in elements {
            append(element.bytes.map { Int32($0.count) } ?? -1)
            bytes.append(contentsOf: element.bytes ?? [])
        }
        return bytes
    }

    /// `{"a","b\"c",NULL}`, every element quoted.
    private static func text(_ elements: [PostgresParameter]) throws(PostgresValueError) -> [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "{")]
        for (position, element) in elements.enumerated() {
            if position > 0 {
                text.append(UInt8(ascii: ","))
            }
            guard let bytes = element.bytes else {
                text.append(contentsOf: "NULL".utf8)
                continue
            }
            guard element.format == .text else {
                throw PostgresValueError(
                    .conversion, "an array of \(element.oid) cannot be bound; bind its elements one by one")
            }
            text.append(UInt8(ascii: "\""))
            for byte in bytes {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                    text.append(UInt8(ascii: "\\"))
                }
                text.append(byte)
            }
            text.append(UInt8(ascii: "\""))
        }
        text.append(UInt8(ascii: "}"))
        return text
    }
}
