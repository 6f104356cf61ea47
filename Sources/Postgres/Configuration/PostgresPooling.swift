/// What stands between this program and the server.
public enum PostgresPooling: Hashable, Sendable {
    /// Nothing, or a pooler that gives each connection a session of the server's to itself. Default; see
    /// `PostgresConfiguration.checksForPooler` for what happens when that is not so.
    case session
    /// A pooler that lends a session for each transaction: PgBouncer with `pool_mode = transaction`.
    ///
    /// Statements go unprepared. What would stay in a session (SET, LISTEN, PREPARE, advisory locks of sessions, temporary
    /// tables, cursors WITH HOLD) is refused with code `needsSession`: the next statement may run in another one, and somebody
    /// else's statement in this one. Startup parameters (`options=`) are refused when connecting, as PgBouncer does.
    /// Transactions, pipelines, streams, cursors, COPY and cancelling work as always.
    case transactionPooled
}
