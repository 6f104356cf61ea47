/// An error or a notice as the server reported it, field by field.
public struct PostgresServerReport: Hashable, Sendable {
    /// What kind of error.
    public var sqlState: PostgresSQLState
    /// `ERROR`, `FATAL`, `PANIC`, `WARNING`, `NOTICE`… never localised.
    public var severity: String
    /// The primary message; may quote a value.
    public var message: String
    /// A secondary message; often quotes a row.
    public var detail: String?
    /// What to do about it.
    public var hint: String?
    /// Where in the statement, in characters from 1.
    public var position: Int?
    /// Where in `internalQuery`, in characters from 1.
    public var internalPosition: Int?
    /// The statement that the server made itself, such as one inside a function.
    public var internalQuery: String?
    /// The call stack in the server, innermost first; may quote values.
    public var context: String?
    /// The schema concerned.
    public var schema: String?
    /// The table concerned.
    public var table: String?
    /// The column concerned.
    public var column: String?
    /// The data type concerned.
    public var dataType: String?
    /// The constraint concerned.
    public var constraint: String?
    /// Where in PostgreSQL's source it was raised, `auth_failed (auth.c:326)`.
    public var source: String?
    /// The function of that place.
    public var sourceFunction: String?

    /// Creates a report of the three fields that every report has.
    public init(sqlState: PostgresSQLState, severity: String, message: String) {
        self.sqlState = sqlState
        self.severity = severity
        self.message = message
    }
}
