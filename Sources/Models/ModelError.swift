/// Why a model cannot be used with its table as declared.
///
/// Errors of the server and of values (`PostgresError`, `PostgresValueError`) pass through unwrapped.
public struct ModelError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is. More kinds may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind.
        public let description: String

        /// The stored properties cannot be found out; `columns` must list them.
        public static let reflectionMissing = Code(description: "reflectionMissing")
        /// The model has no stored properties.
        public static let noProperties = Code(description: "noProperties")
        /// A property's type is not a PostgreSQL value.
        public static let unsupportedProperty = Code(description: "unsupportedProperty")
        /// A key path that is not one of a stored property.
        public static let notStored = Code(description: "notStored")
        /// Two properties have one column.
        public static let duplicateColumn = Code(description: "duplicateColumn")
        /// The operation does not take what it was given.
        public static let unsupported = Code(description: "unsupported")
        /// The database took an `INSERT` and stored no row, as a trigger may decide.
        public static let notInserted = Code(description: "notInserted")
    }

    /// The kind of failure.
    public var code: Code
    /// What is wrong, in which model, and what to do.
    public var message: String
    /// The error that caused this one.
    public var underlying: (any Error)?

    /// Makes an error.
    public init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }

    /// The message.
    public var description: String {
        underlying.map { "\(message) (\($0))" } ?? message
    }
}

/// An error carried inside a query until it runs. Boxed, because queries are copied often and have none.
final class QueryProblem: Sendable {
    let error: ModelError

    init(_ error: ModelError) {
        self.error = error
    }
}
