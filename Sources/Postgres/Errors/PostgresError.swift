/// What went wrong between this program and PostgreSQL.
///
/// `description` is one line fit for a log: never the DETAIL, a bound value or a password. The names of tables, types and functions
/// that it quotes may be bound values where SQL makes names of them (`$1::regclass`), and what functions of the database raise
/// themselves (`RAISE`) is theirs. `debugDescription` adds what the server said besides; it may quote rows.
public struct PostgresError: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// What went wrong, as a value that can be compared. More may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name.
        public let description: String

        /// The server refused a statement; `server` says all about it.
        public static let server = Code(description: "server")
        /// The connection string makes no sense.
        public static let invalidConfiguration = Code(description: "invalidConfiguration")
        /// No connection could be made.
        public static let connectFailed = Code(description: "connectFailed")
        /// The connection broke, was closed under the statement, or was given up because the server did not end an
        /// interrupted statement in time; whether the statement took effect, or still will, is not known. When it was
        /// interrupted, `underlying` says why: `CancellationError`, `timedOut`, `poolClosed`.
        public static let connectionLost = Code(description: "connectionLost")
        /// The caller was interrupted and did not see the statement's end, on a connection that is good: the statement took
        /// effect, or may still. `underlying` says why, as in `connectionLost`. Statements that share a connection and
        /// streams of statements that write can end so.
        public static let outcomeUnknown = Code(description: "outcomeUnknown")
        /// The connection was closed by this side before, or its scope has ended; nothing was sent.
        public static let connectionClosed = Code(description: "connectionClosed")
        /// Another greenlet is using this connection; give each its own.
        public static let connectionBusy = Code(description: "connectionBusy")
        /// A statement was cancelled because its time was over, and the server has said so: it took no effect. What a script or a
        /// procedure had committed in its middle stays.
        public static let timedOut = Code(description: "timedOut")
        /// The pool had no connection to give in time.
        public static let acquireTimedOut = Code(description: "acquireTimedOut")
        /// Too many wait for the pool already.
        public static let tooManyWaiting = Code(description: "tooManyWaiting")
        /// Everyone who holds a connection of the pool waits for another; this one was the last to ask.
        public static let poolDeadlock = Code(description: "poolDeadlock")
        /// A hook of the pool took too long.
        public static let hookTimedOut = Code(description: "hookTimedOut")
        /// The pool is closed. A statement that it has cancelled took no effect, as the server said.
        public static let poolClosed = Code(description: "poolClosed")
        /// COMMIT was answered by ROLLBACK: a statement of the transaction had failed.
        public static let transactionRolledBack = Code(description: "transactionRolledBack")
        /// A transaction was used after its end.
        public static let transactionFinished = Code(description: "transactionFinished")
        /// A savepoint was asked for something that only a whole transaction can have.
        public static let invalidTransaction = Code(description: "invalidTransaction")
        /// A pool was used by a greenlet that was spawned inside another's transaction on it.
        public static let transactionNotShared = Code(description: "transactionNotShared")
        /// The statement would leave something behind in a session that a pooler shares out.
        public static let needsSession = Code(description: "needsSession")
        /// The statement returned something that the call cannot take (COPY, several rows).
        public static let unexpectedResult = Code(description: "unexpectedResult")
    }

    /// What went wrong.
    public var code: Code
    /// One sentence for a person. For `server` errors the server's primary message, which may quote a value.
    public var message: String
    /// The server's report, where there is one.
    public var server: PostgresServerReport?
    /// The error behind this one.
    public var underlying: (any Error)?

    /// Creates an error.
    public init(
        _ code: Code, _ message: String, server: PostgresServerReport? = nil, underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.server = server
        self.underlying = underlying
    }

    /// The kind of error the server names, if it named one.
    public var sqlState: PostgresSQLState? { server?.sqlState }
    /// `ERROR`, `FATAL` or `PANIC`, if the server reported.
    public var severity: String? { server?.severity }
    /// A secondary message; often quotes a row.
    public var detail: String? { server?.detail }
    /// What to do about it.
    public var hint: String? { server?.hint }
    /// Where in the statement, in characters from 1.
    public var position: Int? { server?.position }
    /// The schema concerned.
    public var schema: String? { server?.schema }
    /// The table concerned.
    public var table: String? { server?.table }
    /// The column concerned.
    public var column: String? { server?.column }
    /// The data type concerned.
    public var dataType: String? { server?.dataType }
    /// The constraint concerned.
    public var constraint: String? { server?.constraint }

    /// Whether the same may be tried again: nothing of it took effect, and another time it can succeed.
    ///
    /// Inside a transaction the whole transaction is what is tried again.
    public var isRetrySafe: Bool {
        switch code {
        case .connectFailed: !isPermanentConnectFailure
        case .acquireTimedOut, .tooManyWaiting, .connectionBusy: true
        case .server:
            switch sqlState {
            case .serializationFailure, .deadlockDetected, .lockNotAvailable, .tooManyConnections,
                .cannotConnectNow:
                true
            case .invalidSQLStatementName, .featureNotSupported: isStalePlan
            default: false
            }
        default: false
        }
    }

    /// Whether what was asked for may have taken effect, or may yet: nobody knows. An error of the server's, a time-out of
    /// another code and a `CancellationError` say that it took none.
    ///
    /// A COMMIT whose answer did not come ends so, too. What must not be done twice is looked for before it is done again.
    public var isOutcomeUnknown: Bool { code == .connectionLost || code == .outcomeUnknown }

    /// Whether the outcome is not known because the task was cancelled or the greenlet killed, so that the statement was not
    /// waited for any longer.
    public var isCancellation: Bool { isOutcomeUnknown && underlying is CancellationError }

    /// Whether time ran out: for a connect, a connection of the pool, a statement or a lock.
    public var isTimeout: Bool {
        switch code {
        case .timedOut, .acquireTimedOut, .hookTimedOut: true
        case .connectFailed, .connectionLost, .outcomeUnknown: underlyingIsTimeout
        case .server: sqlState == .lockNotAvailable || sqlState == .idleInTransactionSessionTimeout
        default: false
        }
    }

    /// Code, message and place in one line, without DETAIL, bound values or passwords.
    public var description: String {
        guard code == .server, let server else { return message }
        var text = "\(server.severity) \(server.sqlState): \(server.safeMessage)"
        if let position = server.position { text += " (at character \(position))" }
        if let hint = server.hint { text += "; hint: \(hint)" }
        return oneLine(text)
    }

    /// The description and whatever else is known, values and rows included: not for logs.
    public var debugDescription: String {
        var text = "PostgresError.\(code): \(message)"
        if let server { text += "\n\(server)" }
        if let underlying { text += "\nunderlying: \(String(reflecting: underlying))" }
        return text
    }
}

extension PostgresError {
    /// Why a connect failed: `error` itself, or, of a hook's own, one that carries it.
    init(connecting configuration: PostgresConfiguration, failedWith error: any Error) {
        self =
            error as? PostgresError
            ?? PostgresError(
                .connectFailed, "cannot connect to \(configuration.redactedDescription): \(error)",
                underlying: error)
    }

    /// Wrong password, or none, no such role, no such database: trying again cannot help.
    var isPermanentConnectFailure: Bool {
        code == .invalidConfiguration
            || code == .connectFailed
                && (sqlState?.classCode == "28" || sqlState == .invalidCatalogName
                    || underlying is PostgresPasswordMissing)
    }

    /// A prepared statement that the server has forgotten or whose result has changed its shape.
    var isStalePlan: Bool {
        sqlState == .invalidSQLStatementName
            // The message is localised; the function that raises it is not.
            || sqlState == .featureNotSupported && server?.sourceFunction == "RevalidateCachedQuery"
    }

    /// The error with its place counted from where the caller's own text begins in the one that was sent.
    static func placed(_ error: any Error, behind prefix: String) -> any Error {
        guard var error = error as? PostgresError, let position = error.server?.position else { return error }
        let place = position - prefix.unicodeScalars.count
        error.server?.position = place > 0 ? place : nil
        return error
    }

    private var underlyingIsTimeout: Bool {
        (underlying as? PostgresError)?.isTimeout ?? (underlying is PostgresConnectTimeout)
    }
}

/// Marks a connect that was given up because its time was over.
struct PostgresConnectTimeout: Error {}

extension PostgresServerReport {
    /// The primary message; for data errors (class 22) without the values that it quotes, in whatever language, and the bytes.
    var safeMessage: String {
        guard sqlState.classCode == "22" else { return message }
        var text = message
        if let first = text.firstIndex(where: Self.quotes.contains) {
            let last = text[text.index(after: first)...].lastIndex(where: Self.quotes.contains)
            // Without a second one all that follows may be the value.
            text.replaceSubrange(first...(last ?? text.index(before: text.endIndex)), with: "\"…\"")
        }
        guard text.contains("0x") else { return text }
        return text.split(separator: " ", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("0x") ? "0x…" : $0 }.joined(separator: " ")
    }

    /// What the server's translations quote with.
    private static let quotes: Set<Character> = [
        "\"", "«", "»", "„", "“", "”", "‟", "‹", "›", "「", "」", "『", "』", "《", "》",
    ]
}

/// Folds a message of several lines into one: each line break becomes a sentence's end.
func oneLine(_ text: String) -> String {
    var line = ""
    for part in text.split(whereSeparator: \.isNewline) {
        let words = part.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !words.isEmpty else { continue }
        if let last = line.last { line += ".;:,!?".contains(last) ? " " : ". " }
        line += words
    }
    return line
}
