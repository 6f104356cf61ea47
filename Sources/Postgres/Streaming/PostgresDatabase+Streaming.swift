import Greenlets
public import PostgresValues
import ReactorCore

extension PostgresDatabase {
    /// The rows of a statement as they come; see `PostgresRowStream`. Sends nothing yet and never waits.
    ///
    /// On a pool the stream borrows a connection at its first row and gives it back with its last. On a connection or in a
    /// transaction other statements are refused with `connectionBusy` until the loop has ended: where they interleave use
    /// `transaction.cursor`.
    /// - Parameter timeout: for the whole statement, from the first row that is asked for to the last that is read: a consumer
    ///   that is too slow times out; nil: no limit.
    public nonisolated func stream(_ sql: SQL, timeout: Duration? = nil) -> PostgresRowStream {
        PostgresRowStream { StatementRows(self, sql, timeout: timeout) }
    }

    /// Runs one statement and `body` with each of its rows as they come. Parks the calling task where none has arrived.
    ///
    /// ```swift
    /// try await pool.forEachRow("SELECT id, title FROM film") { row in titles[try row.decode(at: 0)] = try row.decode(at: 1) }
    /// ```
    /// - Throws: what `body` throws, after the statement has been cancelled on the server; as `query`.
    public func forEachRow(
        _ sql: SQL, timeout: Duration? = nil, _ body: (PostgresRow) throws -> Void
    ) async throws {
        try await stream(sql, timeout: timeout).forEachRow(body)
    }

    /// As the `async` form, for synchronous code in a greenlet; `body` may wait.
    public nonisolated func forEachRow(
        _ sql: SQL, timeout: Duration? = nil, _ body: (PostgresRow) throws -> Void
    ) throws {
        try stream(sql, timeout: timeout).forEachRow(body)
    }

    /// Runs one statement and lends its rows to `body` for a `for` loop, for synchronous code in a greenlet.
    ///
    /// ```swift
    /// try pool.withRows(streaming: "SELECT id FROM film") { rows in
    ///     for row in rows { print(try row.decode(Int64.self, at: 0)) }
    /// }
    /// ```
    /// - Throws: as `PostgresRowStream.withRows`.
    public nonisolated func withRows<T>(
        streaming sql: SQL, timeout: Duration? = nil, _ body: (PostgresStreamedRows) throws -> T
    ) throws -> T {
        try stream(sql, timeout: timeout).withRows(body)
    }
}
