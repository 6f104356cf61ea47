// Types that are read and written as the server's own text, each with a type of its own so that they are not mixed up.

/// An XML document or fragment, as `xml` has it. The server checks the syntax.
public struct PostgresXML: PostgresTextValue {
    /// The document.
    public let description: String

    /// A document by its text, which is not looked at.
    public init(_ description: String) { self.description = description }

    /// `xml`
    public static var postgresType: PostgresTypeOID { .xml }
}

/// A document for text search, `'brown':2 'fox':3A`, as `tsvector` has it.
public struct TSVector: PostgresTextValue {
    /// Lexemes with their positions.
    public let description: String

    /// A document by its text, which is not looked at; to make one of words, call `to_tsvector` in SQL.
    public init(_ description: String) { self.description = description }

    /// `tsvector`
    public static var postgresType: PostgresTypeOID { .tsvector }
}

/// A text search, `'fox' & !'dog'`, as `tsquery` has it.
public struct TSQuery: PostgresTextValue {
    /// Lexemes and operators.
    public let description: String

    /// A search by its text, which is not looked at; to make one of a user's words, call `websearch_to_tsquery` in SQL.
    public init(_ description: String) { self.description = description }

    /// `tsquery`
    public static var postgresType: PostgresTypeOID { .tsquery }
}

/// An amount of money as text, `$1,234.50`, as `money` has it.
///
/// The text, its currency and the number of decimals depend on the server's `lc_monetary`, and the binary form does not
/// tell them: for a number cast to `numeric` in the query.
public struct PostgresMoney: PostgresTextValue {
    /// The amount as the server writes it.
    public let description: String

    /// An amount by its text, which is not looked at.
    public init(_ description: String) { self.description = description }

    /// `money`
    public static var postgresType: PostgresTypeOID { .money }
}

/// A path through a tree of labels, `Top.Science.Astronomy`, as the extension's `ltree` has it.
public struct LTree: PostgresTextValue {
    /// The labels with points between them.
    public let description: String

    /// A path by its text, which is not looked at.
    public init(_ description: String) { self.description = description }

    /// A path of labels.
    public init(labels: [String]) { description = labels.joined(separator: ".") }

    /// The labels from the root.
    public var labels: [String] {
        description.split(separator: ".").map { String($0) }
    }

    /// Made in the database, hence not known.
    public static var postgresType: PostgresTypeOID { .inferred }
}
