/// A Swift type that stands for a composite type, or for a row of a table used as one value.
///
/// Attributes go by their order, as SQL's rows do.
/// ```swift
/// struct Price: PostgresComposite {                    // CREATE TYPE price AS (amount numeric, currency text)
///     var amount: PostgresNumeric
///     var currency: String?
///
///     init(attributes: inout PostgresAttributes) throws {
///         amount = try attributes.next()
///         currency = try attributes.next()
///     }
///     var attributes: [any PostgresEncodable] { [amount, currency] }
/// }
/// ```
public protocol PostgresComposite: PostgresArrayElement {
    /// Reads the attributes in order. Attributes that are not read, added by a later `ALTER TYPE`, do not matter.
    ///
    /// - Throws: What reading an attribute throws.
    init(attributes: inout PostgresAttributes) throws

    /// All attributes in order.
    var attributes: [any PostgresEncodable] { get }
}

extension PostgresComposite {
    /// The text `("a",,"b")`, of inferred type; where nothing tells it, write `$1::price`.
    ///
    /// - Throws: What an attribute throws.
    public func postgresParameter() throws -> PostgresParameter {
        var text: [UInt8] = [UInt8(ascii: "(")]
        for (position, attribute) in attributes.enumerated() {
            if position > 0 { text.append(UInt8(ascii: ",")) }
            if let bytes = try attribute.postgresParameter().textBytes() {
                text += RowText.quoted(bytes, isRange: false).utf8
            }
        }
        text.append(UInt8(ascii: ")"))
        return PostgresParameter(oid: .inferred, format: .text, bytes: text)
    }

    /// Reads composite types and `record`.
    ///
    /// - Throws: `PostgresValueError`: `.typeMismatch`, `.malformed`, `.unexpectedNull`; what an attribute throws.
    public static func decode(_ cell: PostgresCell) throws -> Self {
        var attributes = try PostgresAttributes(cell, wanted: Self.self)
        return try Self(attributes: &attributes)
    }
}

/// A row of any attributes, for those that no Swift type stands for.
public struct PostgresRecord: PostgresComposite, Hashable {
    /// The attributes, nil for NULL. In the text form, the usual one, their types are not told and `.unknown`.
    public var values: [PostgresRawValue?]

    /// A row of attributes.
    public init(_ values: [PostgresRawValue?]) {
        self.values = values
    }

    /// Reads all attributes.
    ///
    /// - Throws: Nothing.
    public init(attributes: inout PostgresAttributes) throws {
        values = []
        while attributes.remaining > 0 {
            values.append(try attributes.next())
        }
    }

    /// The attributes.
    public var attributes: [any PostgresEncodable] { values }
}
