/// A Swift value that can be bound to a `$n`.
///
/// Parameters follow one rule: values of a Swift type that stands for one PostgreSQL type go in binary with that type named,
/// numbers, `Bool`, `UUID`, times, addresses and bytes among them; text, `JSON` and rows go untyped, so that the server infers
/// whether a date, an enum label, `json` or `jsonb` is meant.
public protocol PostgresEncodable: Sendable {
    /// The value as a parameter.
    ///
    /// - Throws: `PostgresValueError` when PostgreSQL has no such value (a NUL in a text, an infinite `Date`).
    func postgresParameter() throws -> PostgresParameter

    /// What stands for a missing value of this type.
    static var postgresNull: PostgresParameter { get }

    /// Appends the value as a cell of a binary COPY, its length in front, to a column of the given type. False, with nothing
    /// appended, when that takes more than writing bytes: then `postgresParameter()` is asked.
    ///
    /// Only worth implementing for types that are copied by the million.
    func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool

    /// Appends the value as it stands in a COPY in text, escaped. False, with nothing appended, when that takes more than
    /// writing bytes: then `postgresParameter()` is asked.
    ///
    /// Only worth implementing for types that are copied by the million.
    func appendCopyText(to bytes: inout [UInt8]) -> Bool
}

extension PostgresEncodable {
    /// False: the parameter is asked.
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool { false }

    /// False: the parameter is asked.
    public func appendCopyText(to bytes: inout [UInt8]) -> Bool { false }

    /// A NULL whose type the server infers.
    public static var postgresNull: PostgresParameter { .null() }
}

/// A Swift value that can be read from a result.
public protocol PostgresDecodable: Sendable {
    /// Reads one cell, in text or in binary.
    ///
    /// - Throws: `PostgresValueError`: the cell's type is another one, the value does not fit, or it is NULL.
    ///   Rows add their own number and the column's name to the error.
    static func decode(_ cell: PostgresCell) throws -> Self
}

/// A Swift value that goes both ways.
public typealias PostgresValue = PostgresEncodable & PostgresDecodable
