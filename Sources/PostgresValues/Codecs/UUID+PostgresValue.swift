public import FoundationEssentials

extension UUID: PostgresArrayElement {
    /// A `uuid`.
    public func postgresParameter() -> PostgresParameter {
        PostgresParameter(oid: .uuid, format: .binary, bytes: withUnsafeBytes(of: uuid) { Array($0) })
    }

    /// A NULL `uuid`.
    public static var postgresNull: PostgresParameter { .null(.uuid) }

    /// Reads `uuid`.
    ///
    /// - Throws: `PostgresValueError`: `.typeMismatch`, `.malformed`, `.unexpectedNull`.
    public static func decode(_ cell: PostgresCell) throws -> UUID {
        guard cell.oid == .uuid else { throw cell.mismatch(UUID.self, cast: "uuid") }
        let bytes = try cell.required(for: UUID.self)
        switch cell.format {
        case .binary:
            guard bytes.count == 16 else {
                throw cell.malformed(UUID.self, "\(bytes.count) bytes instead of 16")
            }
            return UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
        case .text:
            guard let value = UUID(uuidString: String(decoding: bytes, as: UTF8.self)) else {
                throw cell.malformed(UUID.self, "not 8-4-4-4-12 hexadecimal digits")
            }
            return value
        }
    }
}
