/// A value whose Swift text is the text that PostgreSQL knows it by.
///
/// `String(value)` is what the server writes, apart from what its settings change, and `init?(_:)` reads it; from these
/// follow binding, reading, arrays and `Codable`, as a JSON string. Make your own types of extensions so.
public protocol PostgresTextValue: PostgresArrayElement, LosslessStringConvertible, Hashable, Codable {
    /// The type as which the value is bound; `.inferred` for a type made in the database, whose number this module
    /// cannot know.
    static var postgresType: PostgresTypeOID { get }

    /// The types that are read, beside those made in the database when `postgresType` is `.inferred`.
    static var readableTypes: [PostgresTypeOID] { get }

    /// Why a text may not have been read, for the error.
    static var textHint: String { get }
}

extension PostgresTextValue {
    /// The type as which the value is bound.
    public static var readableTypes: [PostgresTypeOID] { [postgresType] }

    /// That it is not the type's text.
    public static var textHint: String { "not its text form" }

    /// The text, of the value's type.
    ///
    /// - Throws: `PostgresValueError(.nulCharacter)`.
    public func postgresParameter() throws -> PostgresParameter {
        try .text(description, oid: Self.postgresType)
    }

    /// A NULL of the value's type.
    public static var postgresNull: PostgresParameter { .null(postgresType) }

    /// Reads the text.
    ///
    /// - Throws: `PostgresValueError`: `.typeMismatch`, `.malformed`, `.invalidUTF8`, `.unexpectedNull`.
    public static func decode(_ cell: PostgresCell) throws -> Self {
        try check(cell)
        guard cell.format == .text || cell.oid.isTextInBinary else {
            throw cell.mismatch(Self.self, cast: "text")
        }
        return try parse(cell)
    }

    static func check(_ cell: PostgresCell) throws(PostgresValueError) {
        // The usual case, before any list is made.
        if cell.oid == postgresType { return }
        let isReadable = readableTypes.contains(cell.oid) || (postgresType == .inferred && cell.oid.isOpaque)
        guard isReadable else { throw cell.mismatch(Self.self, cast: postgresType.sqlName) }
    }

    static func parse(_ cell: PostgresCell) throws(PostgresValueError) -> Self {
        guard let value = Self(try cell.utf8(for: Self.self)) else {
            throw cell.malformed(Self.self, textHint)
        }
        return value
    }

    /// Reads the text from a single string.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = Self(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not a \(Self.self): \(Self.textHint)")
        }
        self = value
    }

    /// Writes the text as a single string.
    ///
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// A value that goes both ways in its type's binary form too.
public protocol PostgresBinaryValue: PostgresTextValue {
    /// Appends the binary form.
    ///
    /// - Throws: `PostgresValueError` when PostgreSQL has no such value.
    func appendBinary(to bytes: inout [UInt8]) throws(PostgresValueError)

    /// Reads the binary form; what is left over is an error of the caller's.
    ///
    /// - Throws: `PostgresValueError`: `.malformed`, `.outOfRange`.
    init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError)
}

extension PostgresBinaryValue {
    /// The binary form, of the value's type; the text when the server has to infer the type.
    ///
    /// - Throws: `PostgresValueError` when PostgreSQL has no such value.
    public func postgresParameter() throws -> PostgresParameter {
        if Self.postgresType == .inferred { return try .text(description) }
        return try binaryParameter(Self.postgresType)
    }

    /// The binary form, said to be of the given type.
    func binaryParameter(_ oid: PostgresTypeOID) throws(PostgresValueError) -> PostgresParameter {
        var bytes: [UInt8] = []
        try appendBinary(to: &bytes)
        return PostgresParameter(oid: oid, format: .binary, bytes: bytes)
    }

    /// Reads the binary form or the text.
    ///
    /// - Throws: `PostgresValueError`: `.typeMismatch`, `.malformed`, `.outOfRange`, `.unexpectedNull`.
    public static func decode(_ cell: PostgresCell) throws -> Self {
        try check(cell)
        guard cell.format == .binary else { return try parse(cell) }
        var reader = PostgresBinaryReader(try cell.required(for: Self.self), oid: cell.oid, wanted: Self.self)
        let value = try Self(binary: &reader)
        try reader.end()
        return value
    }
}

extension PostgresCell {
    /// The bytes as a text.
    func utf8(for wanted: Any.Type) throws(PostgresValueError) -> String {
        guard let text = String(utf8: try required(for: wanted)) else {
            throw PostgresValueError(.invalidUTF8, "the \(oid) is not valid UTF-8; read it as bytea")
        }
        return text
    }
}
