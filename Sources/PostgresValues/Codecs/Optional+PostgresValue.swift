extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    /// The value, or a NULL of its type.
    ///
    /// - Throws: What the value throws.
    public func postgresParameter() throws -> PostgresParameter {
        switch self {
        case .some(let value): try value.postgresParameter()
        case .none: Wrapped.postgresNull
        }
    }

    /// What stands for a missing value of the wrapped type.
    public static var postgresNull: PostgresParameter { Wrapped.postgresNull }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    /// Reads NULL as nil and everything else as the wrapped type does.
    ///
    /// - Throws: What the wrapped type throws.
    @inlinable
    public static func decode(_ cell: PostgresCell) throws -> Wrapped? {
        cell.isNull ? nil : try Wrapped.decode(cell)
    }
}
