public import FoundationEssentials

extension Data: PostgresArrayElement {
    /// A `bytea`.
    public func postgresParameter() -> PostgresParameter {
        PostgresParameter(oid: .bytea, format: .binary, bytes: Array(self))
    }

    /// A NULL `bytea`.
    public static var postgresNull: PostgresParameter { .null(.bytea) }

    /// Reads `bytea`, as `[UInt8]` does.
    ///
    /// - Throws: `PostgresValueError`: `.typeMismatch`, `.malformed`, `.unexpectedNull`.
    public static func decode(_ cell: PostgresCell) throws -> Data { Data(try [UInt8].decode(cell)) }
}
