/// A value that can also be the element of an array.
///
/// Conforming takes nothing more than `PostgresValue`, if the array may be bound as text of inferred type.
public protocol PostgresArrayElement: PostgresValue {
    /// An array as a parameter.
    ///
    /// - Throws: What an element throws.
    static func encodeArray(_ elements: [Self]) throws -> PostgresParameter
    /// What stands for a missing array.
    static var postgresNullArray: PostgresParameter { get }
    /// Reads an array.
    ///
    /// - Throws: `PostgresValueError`; `.unexpectedNull` for a NULL element too.
    static func decodeArray(_ cell: PostgresCell) throws -> [Self]
}

extension PostgresArrayElement {
    /// A binary array when the elements have a type and are binary, else `{…}` text of inferred type.
    ///
    /// - Throws: What an element throws.
    public static func encodeArray(_ elements: [Self]) throws -> PostgresParameter {
        try ArrayModel(try elements.map { try $0.postgresParameter() }, null: postgresNull).parameter()
    }

    /// A NULL of the array type of the elements' type.
    public static var postgresNullArray: PostgresParameter {
        .null(postgresNull.oid.array ?? .inferred)
    }

    /// Reads a one-dimensional array in binary or text; its lower bound is dropped.
    ///
    /// - Throws: `PostgresValueError`: `.malformed` for more dimensions, `.unexpectedNull` for a NULL element unless
    ///   `Self` is optional, and what an element throws.
    public static func decodeArray(_ cell: PostgresCell) throws -> [Self] {
        try ArrayDecoding.decode(cell)
    }
}

extension Bool: PostgresArrayElement {}
extension Int16: PostgresArrayElement {}
extension Int32: PostgresArrayElement {}
extension Int64: PostgresArrayElement {}
extension Int: PostgresArrayElement {}
extension UInt32: PostgresArrayElement {}
extension Float: PostgresArrayElement {}
extension Double: PostgresArrayElement {}
extension String: PostgresArrayElement {}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    /// An SQL array, or a `bytea` for `[UInt8]`.
    ///
    /// - Throws: What an element throws.
    public func postgresParameter() throws -> PostgresParameter { try Element.encodeArray(self) }

    /// A NULL array.
    public static var postgresNull: PostgresParameter { Element.postgresNullArray }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    /// Reads an SQL array of one dimension, of more for arrays of arrays, or a `bytea` for `[UInt8]`.
    ///
    /// - Throws: `PostgresValueError`; see `PostgresArrayElement.decodeArray(_:)`.
    public static func decode(_ cell: PostgresCell) throws -> [Element] { try Element.decodeArray(cell) }
}
