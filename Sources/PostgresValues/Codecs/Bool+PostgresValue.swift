extension Bool: PostgresValue {
    /// A `bool`.
    public func postgresParameter() -> PostgresParameter {
        PostgresParameter(oid: .bool, format: .binary, bytes: [self ? 1 : 0])
    }

    /// A NULL `bool`.
    public static var postgresNull: PostgresParameter { .null(.bool) }

    /// Reads `bool`.
    ///
    /// - Throws: `PostgresValueError`: `.typeMismatch`, `.malformed`, `.unexpectedNull`.
    public static func decode(_ cell: PostgresCell) throws -> Bool {
        guard cell.oid == .bool else { throw cell.mismatch(Bool.self, cast: "bool") }
        let bytes = try cell.required(for: Bool.self)
        guard bytes.count == 1 else { throw cell.malformed(Bool.self, "\(bytes.count) bytes instead of 1") }
        switch (cell.format, bytes[0]) {
        case (.binary, 0), (.text, UInt8(ascii: "f")): return false
        case (.binary, 1), (.text, UInt8(ascii: "t")): return true
        default: throw cell.malformed(Bool.self, "neither true nor false")
        }
    }
}
