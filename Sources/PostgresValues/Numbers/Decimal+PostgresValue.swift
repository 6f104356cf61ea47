public import FoundationEssentials

extension PostgresNumeric {
    /// The same number; a `Decimal` has no infinities, and its NaN becomes NaN.
    public init(_ value: Decimal) {
        // A Decimal's text has all of its digits, and its exponents are well within the limits.
        self = value.isNaN ? .nan : PostgresNumeric(value.description) ?? .nan
    }
}

extension Decimal {
    /// The same number, though not its scale: `1.10` becomes 1.1.
    ///
    /// - Throws: `PostgresValueError(.outOfRange)` when a `Decimal`, which has about 38 digits, cannot hold it exactly, and
    ///   for the infinities; nothing is rounded.
    public init(exactly value: PostgresNumeric) throws(PostgresValueError) {
        if value.isNaN {
            self = .nan
            return
        }
        guard value.isFinite, let decimal = Decimal(string: value.description),
            PostgresNumeric(decimal) == value
        else {
            throw PostgresValueError(
                .outOfRange, "the numeric has more digits than a Decimal; read it as PostgresNumeric")
        }
        self = decimal
    }
}

extension Decimal: PostgresArrayElement {
    /// A `numeric`.
    public func postgresParameter() throws -> PostgresParameter {
        try PostgresNumeric(self).postgresParameter()
    }

    /// A NULL `numeric`.
    public static var postgresNull: PostgresParameter { .null(.numeric) }

    /// Reads `numeric`, never rounding.
    ///
    /// - Throws: `PostgresValueError`: `.outOfRange` when the number is too long, `.typeMismatch`, `.unexpectedNull`.
    public static func decode(_ cell: PostgresCell) throws -> Decimal {
        guard cell.oid == .numeric else { throw cell.mismatch(Decimal.self, cast: "numeric") }
        return try Decimal(exactly: try PostgresNumeric.decode(cell))
    }
}
