public import PostgresValues

/// A plain struct whose values are the rows of a table.
///
/// ```swift
/// struct Client: Model {
///     static let table = "clients"
///     var id: Int64?                // nil until inserted
///     var code: String
///     var languageCode: String?     // column language_code
/// }
/// let found = try Client.where { $0.code == code }.first(db)        // in a greenlet
/// let same = try await Client.where { $0.code == code }.first(db)   // in async code
/// ```
/// Nothing else is declared: columns are the stored properties in snake_case, their types must be PostgreSQL
/// values (`PostgresEncodable`; say `PostgresEnum` for an enum), and values are made through `Decodable`, so leave
/// `CodingKeys` alone and rename columns by `columns`. Columns of the table that the struct lacks are never fetched.
/// Values hold no connection: what was fetched is plain data, to be sent anywhere.
public protocol Model: Codable, Sendable {
    /// The type of the property `id`, where there is one; inferred.
    associatedtype ID: PostgresEncodable = NoModelID

    /// The name of the table, exactly as the database has it.
    static var table: String { get }

    /// Columns whose names are not the property's in snake_case: `[\.languageCode: "lang"]`.
    ///
    /// In a program built with `-disable-reflection-metadata` it must list all stored properties in their order.
    static var columns: KeyValuePairs<PartialKeyPath<Self>, String> { get }

    /// The primary key, when a stored property has this name.
    var id: ID { get }

    /// Makes a value of a row. The default goes through `Decodable`; taking the values in the order of the
    /// properties is several times faster:
    /// ```swift
    /// init(row: inout ModelRow) throws {
    ///     (id, code, languageCode) = (try row.next(), try row.next(), try row.next())
    /// }
    /// ```
    ///
    /// - Throws: `PostgresValueError` naming row and column.
    init(row: inout ModelRow) throws
}

extension Model {
    /// No exceptions.
    public static var columns: KeyValuePairs<PartialKeyPath<Self>, String> { [:] }

    /// Makes a value of a row through `Decodable`.
    ///
    /// - Throws: `PostgresValueError` naming row and column; `ModelError(.unsupportedProperty)`.
    public init(row: inout ModelRow) throws {
        try self.init(from: ModelRowDecoder(row: row))
    }
}

/// The `ID` of a model that has no property `id`; has no values.
public enum NoModelID: PostgresEncodable {
    /// Never called.
    public func postgresParameter() -> PostgresParameter {
        switch self {}
    }
}

extension Model where ID == NoModelID {
    /// Cannot be read: the model has no `id`.
    public var id: NoModelID {
        preconditionFailure("\(Self.self) has no stored property id")
    }
}
