public import ReactorCore

/// One statement that has run, for logs, metrics and traces.
public struct PostgresStatementEvent: Sendable {
    /// The statement's text, of a cursor that of its query, `$1` in the place of each value; values are not in it unless somebody
    /// wrote them there.
    public let text: String
    /// When it was handed to the connection, on the reactor's clock.
    public let start: ReactorInstant
    /// From then until its answer was complete, its wait behind others of its pipeline included.
    public let duration: Duration
    /// How many rows it returned or touched; nil when it failed.
    public let rows: Int?
    /// Why it failed.
    public let error: (any Error)?
    /// The server's process that ran it; nil when it shared a connection or got none.
    public let processID: Int32?
}

/// Told of each statement when it is over. On the reactor; must not wait.
public typealias PostgresStatementObserver = @Sendable @ReactorActor (PostgresStatementEvent) -> Void
