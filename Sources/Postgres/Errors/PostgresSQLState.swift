/// The five-character code by which the server names what happened: `23505`, `40001`…
///
/// The first two characters are the class. See PostgreSQL's Appendix A.
public struct PostgresSQLState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The five characters.
    public let rawValue: String

    /// Wraps a code, known here or not.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The first two characters: the class, such as `23` for integrity violations.
    public var classCode: String { String(rawValue.prefix(2)) }

    /// The code itself.
    public var description: String { rawValue }

    /// `0A000`, also raised when a prepared statement's result type has changed.
    public static let featureNotSupported = Self(rawValue: "0A000")
    /// `22021`
    public static let characterNotInRepertoire = Self(rawValue: "22021")
    /// `23502`
    public static let notNullViolation = Self(rawValue: "23502")
    /// `23503`
    public static let foreignKeyViolation = Self(rawValue: "23503")
    /// `23505`
    public static let uniqueViolation = Self(rawValue: "23505")
    /// `23514`
    public static let checkViolation = Self(rawValue: "23514")
    /// `25001`: the statement cannot run inside a transaction.
    public static let activeTransaction = Self(rawValue: "25001")
    /// `25P02`: an earlier error has failed the transaction.
    public static let inFailedTransaction = Self(rawValue: "25P02")
    /// `26000`: no such prepared statement.
    public static let invalidStatementName = Self(rawValue: "26000")
    /// `28P01`
    public static let invalidPassword = Self(rawValue: "28P01")
    /// `28000`
    public static let invalidAuthorization = Self(rawValue: "28000")
    /// `3D000`: no such database.
    public static let invalidCatalogName = Self(rawValue: "3D000")
    /// `40001`
    public static let serializationFailure = Self(rawValue: "40001")
    /// `40P01`
    public static let deadlockDetected = Self(rawValue: "40P01")
    /// `42601`
    public static let syntaxError = Self(rawValue: "42601")
    /// `42703`
    public static let undefinedColumn = Self(rawValue: "42703")
    /// `42P01`
    public static let undefinedTable = Self(rawValue: "42P01")
    /// `42P07`
    public static let duplicateTable = Self(rawValue: "42P07")
    /// `53300`
    public static let tooManyConnections = Self(rawValue: "53300")
    /// `55P03`
    public static let lockNotAvailable = Self(rawValue: "55P03")
    /// `57014`: the statement was cancelled, by us, by an administrator or by `statement_timeout`.
    public static let queryCanceled = Self(rawValue: "57014")
    /// `57P01`: an administrator ended the session, or the server stops.
    public static let adminShutdown = Self(rawValue: "57P01")
    /// `57P02`: another backend crashed.
    public static let crashShutdown = Self(rawValue: "57P02")
    /// `57P03`: the server is starting, stopping or recovering.
    public static let cannotConnectNow = Self(rawValue: "57P03")
    /// `57P04`: the database has been dropped.
    public static let databaseDropped = Self(rawValue: "57P04")
    /// `57P05`: this session was idle for too long.
    public static let idleSessionTimeout = Self(rawValue: "57P05")
    /// `25P03`: this transaction was idle for too long.
    public static let idleInTransactionTimeout = Self(rawValue: "25P03")
}
