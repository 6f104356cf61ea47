public import FoundationEssentials

/// A JSON document as text, unchanged: every digit of its numbers, the order of its keys, its blanks.
///
/// `json` columns keep the text as it was; `jsonb` ones drop blanks, order and repeated keys, and refuse `\u0000`. A
/// document that is `null` is a value, and not NULL: that is `JSON?.none`. The server checks the syntax.
/// ```swift
/// let document = try JSON(encoding: order)
/// let order = try document.decode(Order.self)
/// ```
public struct JSON: PostgresTextValue {
    /// The document.
    public let description: String

    /// A document by its text, which is not looked at.
    public init(_ description: String) {
        self.description = description
    }

    /// The document `null`, which is not SQL's NULL.
    public static let null = JSON("null")

    /// Writes a value as a document.
    ///
    /// - Throws: `EncodingError`, a NaN among others; `PostgresValueError(.invalidUTF8)` never with Foundation's encoder.
    public init(encoding value: some Encodable, by encoder: JSONEncoder = JSONEncoder()) throws {
        guard let text = String(validating: try encoder.encode(value), as: UTF8.self) else {
            throw PostgresValueError(.invalidUTF8, "the encoder wrote something else than UTF-8")
        }
        description = text
    }

    /// Reads the document as a value. Integers of 64 bits are exact.
    ///
    /// - Throws: `DecodingError`.
    public func decode<T: Decodable>(_: T.Type = T.self, by decoder: JSONDecoder = JSONDecoder()) throws -> T
    {
        try decoder.decode(T.self, from: Data(description.utf8))
    }

    /// Not told, so that a document goes into `json` and `jsonb` alike; where nothing tells, write `$1::jsonb`.
    public static var postgresType: PostgresTypeOID { .inferred }

    /// Reads `json` and `jsonb`.
    ///
    /// - Throws: `PostgresValueError`: `.typeMismatch`, `.malformed`, `.invalidUTF8`, `.unexpectedNull`.
    public static func decode(_ cell: PostgresCell) throws -> JSON {
        guard cell.oid == .json || cell.oid == .jsonb || cell.oid == .unknown else {
            throw cell.mismatch(JSON.self, cast: "jsonb")
        }
        return JSON(try String.decode(cell))
    }
}

/// A `Codable` value kept as a JSON document, in a `json` or `jsonb` column.
///
/// ```swift
/// let settings: PostgresJSON<Settings> = try row.decode(at: 0)
/// try await db.query("UPDATE users SET settings = \(PostgresJSON(settings.value))")
/// ```
/// With the encoder's and decoder's defaults; for others, and for numbers of more than 64 bits, go by `JSON`.
public struct PostgresJSON<Value: Codable & Sendable>: Sendable {
    /// The value.
    public var value: Value

    /// Wraps a value.
    public init(_ value: Value) {
        self.value = value
    }
}

extension PostgresJSON: PostgresArrayElement {
    /// The document, of inferred type.
    ///
    /// - Throws: `EncodingError`.
    public func postgresParameter() throws -> PostgresParameter {
        try JSON(encoding: value).postgresParameter()
    }

    /// Reads `json` and `jsonb`.
    ///
    /// - Throws: `PostgresValueError`: `.malformed`, which says where the document does not fit and not what stands there;
    ///   `.typeMismatch`, `.unexpectedNull`.
    public static func decode(_ cell: PostgresCell) throws -> PostgresJSON {
        let document = try JSON.decode(cell)
        do {
            return PostgresJSON(try document.decode(Value.self))
        } catch let error as DecodingError {
            throw PostgresValueError(
                .malformed, "the \(cell.oid) is no \(Value.self): \(place(of: error))")
        }
    }

    /// Where and why, without the document's text.
    private static func place(of error: DecodingError) -> String {
        func path(_ context: DecodingError.Context, _ last: String = "") -> String {
            (context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
                + (last.isEmpty ? [] : [last]))
                .joined(separator: ".")
        }
        return switch error {
        case .keyNotFound(let key, let context): "\(path(context, key.stringValue)) is missing"
        case .typeMismatch(let type, let context): "\(path(context)) is no \(type)"
        case .valueNotFound(let type, let context): "\(path(context)) is null, not a \(type)"
        case .dataCorrupted(let context): "\(path(context)) is not valid"
        @unknown default: "it does not fit"
        }
    }
}

extension PostgresJSON: Equatable where Value: Equatable {}
extension PostgresJSON: Hashable where Value: Hashable {}

extension PostgresJSON: Codable {
    /// Reads the value itself, without a wrapper.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        value = try Value(from: decoder)
    }

    /// Writes the value itself, without a wrapper.
    ///
    /// - Throws: `EncodingError`.
    public func encode(to encoder: any Encoder) throws {
        try value.encode(to: encoder)
    }
}
