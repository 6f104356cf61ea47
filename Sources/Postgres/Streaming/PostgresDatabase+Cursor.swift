public import PostgresValues
import ReactorCore

extension PostgresTransaction {
    /// The rows of a statement by a cursor on the server, which leaves the connection free between batches: use it where
    /// the loop runs other statements in the same transaction. Sends nothing yet and never waits.
    ///
    /// ```swift
    /// for try await row in tx.cursor("SELECT id FROM account FOR UPDATE", fetch: 500) {
    ///     try await tx.execute("UPDATE account SET … WHERE id = \(try row.decode(Int64.self, at: 0))")
    /// }
    /// ```
    /// The cursor is closed when the loop ends, however it ends, and at the latest with the transaction. Where nothing
    /// interleaves `stream` is a little faster and needs one round trip instead of one for each batch.
    /// - Parameters:
    ///   - fetch: rows per round trip; so many are in memory at a time. At least 1.
    ///   - timeout: for each round trip; nil: no limit.
    public nonisolated func cursor(_ sql: SQL, fetch: Int = 500, timeout: Duration? = nil)
        -> PostgresRowStream
    {
        PostgresRowStream {
            CursorRows(sql, batch: fetch, isHeld: false, timeout: timeout) { try self.open() }
        }
    }
}

extension PostgresConnection {
    /// The rows of a statement by a cursor on the server; see `PostgresTransaction.cursor`.
    ///
    /// A cursor lives in a transaction, and without one the first row throws `PostgresError` with code `unexpectedResult`
    /// that says so; one that was begun by hand will do.
    /// - Parameters:
    ///   - fetch: rows per round trip; so many are in memory at a time. At least 1.
    ///   - withHold: the cursor needs no transaction, and outlives one: the server makes all rows first and keeps them
    ///     until the loop has ended. Behind a pooler in transaction mode it is refused with code `needsSession`.
    ///   - timeout: for each round trip; nil: no limit.
    public nonisolated func cursor(
        _ sql: SQL, fetch: Int = 500, withHold: Bool = false, timeout: Duration? = nil
    ) -> PostgresRowStream {
        PostgresRowStream {
            CursorRows(sql, batch: fetch, isHeld: withHold, timeout: timeout) { try self.lent() }
        }
    }
}
