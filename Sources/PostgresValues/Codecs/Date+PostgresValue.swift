public import FoundationEssentials

extension Date: PostgresArrayElement {
    /// A `timestamptz`, rounded to the nearest microsecond.
    ///
    /// - Throws: `PostgresValueError(.outOfRange)` for a date that is not finite or outside 4714 BC … 294276 AD.
    public func postgresParameter() throws -> PostgresParameter { try Timestamp(self).postgresParameter() }

    /// A NULL `timestamptz`.
    public static var postgresNull: PostgresParameter { .null(.timestamptz) }

    /// Reads `timestamptz`, in text as `DateStyle = ISO` writes it. Not `timestamp` and `date`, which name no instant.
    ///
    /// - Throws: `PostgresValueError`: `.outOfRange` for `infinity` and `-infinity`, `.typeMismatch`, `.malformed`,
    ///   `.unexpectedNull`.
    public static func decode(_ cell: PostgresCell) throws -> Date {
        guard cell.oid == .timestamptz else { throw cell.mismatch(Date.self, cast: "timestamptz") }
        return try Date(try Timestamp.decode(cell))
    }
}
