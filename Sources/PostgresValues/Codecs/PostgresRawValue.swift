/// A value of any type as it came, for types that no Swift type reads, and for programs that only pass values on.
public struct PostgresRawValue: Hashable, Sendable {
    /// The type that the server says the value has.
    public var oid: PostgresTypeOID
    /// The value in its form.
    public var bytes: [UInt8]
    /// The form of `bytes`.
    public var format: PostgresFormat

    /// A value of bytes that are already in `format`.
    public init(oid: PostgresTypeOID, bytes: [UInt8], format: PostgresFormat) {
        self.oid = oid
        self.bytes = bytes
        self.format = format
    }

    /// The bytes as text, nil when they are binary or not UTF-8.
    public var text: String? {
        format == .text ? String(validating: bytes, as: UTF8.self) : nil
    }

    /// Reads the value as another type, as a row does.
    ///
    /// - Throws: What that type throws.
    public func decode<T: PostgresDecodable>(_: T.Type = T.self) throws -> T {
        try PostgresParameter(oid: oid, format: format, bytes: bytes).withCell { cell in try T.decode(cell) }
    }
}

extension PostgresRawValue: PostgresArrayElement {
    /// The same bytes, of the same type.
    public func postgresParameter() -> PostgresParameter {
        PostgresParameter(oid: oid == .unknown ? .inferred : oid, format: format, bytes: bytes)
    }

    /// Reads every type; NULL needs `PostgresRawValue?`.
    ///
    /// - Throws: `PostgresValueError(.unexpectedNull)`.
    public static func decode(_ cell: PostgresCell) throws -> PostgresRawValue {
        PostgresRawValue(
            oid: cell.oid, bytes: Array(try cell.required(for: PostgresRawValue.self)), format: cell.format)
    }
}
