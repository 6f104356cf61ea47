internal import Greenlets
public import Postgres
internal import PostgresValues

// Every operation runs one statement, and exists twice: `async` for tasks, and for synchronous code in a greenlet,
// which it parks. Cancelling the task or killing the greenlet cancels the statement on the server.

extension ModelQuery {
    /// Fetches all rows. Parks the calling task; the values are here when it returns.
    ///
    /// - Throws: `ModelError` telling what is wrong with the query; `PostgresValueError` naming row and column of a
    ///   value that is not what the model declares; `PostgresError` of the database; `CancellationError`.
    public func fetch(_ db: any PostgresDatabase) async throws -> [M] {
        let rows = try await db.query(statement(), timeout: nil)
        return try ModelSchema<M>.shared().decode(rows)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public func fetch(_ db: any PostgresDatabase) throws -> [M] {
        try Greenlet.blockingCall { try await fetch(db) }
    }

    /// Fetches the first row in the query's order, nil when there is none.
    ///
    /// - Throws: As `fetch(_:)`.
    public func first(_ db: any PostgresDatabase) async throws -> M? {
        try await limit(min(rowLimit ?? 1, 1)).fetch(db).first
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public func first(_ db: any PostgresDatabase) throws -> M? {
        try Greenlet.blockingCall { try await first(db) }
    }

    /// Counts the rows that `fetch` would return.
    ///
    /// - Throws: `ModelError`, `PostgresError`, `CancellationError`.
    public func count(_ db: any PostgresDatabase) async throws -> Int {
        let rows = try await db.query(countStatement(), timeout: nil)
        return try rows[0].decode(Int.self, at: 0)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public func count(_ db: any PostgresDatabase) throws -> Int {
        try Greenlet.blockingCall { try await count(db) }
    }

    /// Whether `fetch` would return any row; the server stops looking at the first.
    ///
    /// - Throws: `ModelError`, `PostgresError`, `CancellationError`.
    public func exists(_ db: any PostgresDatabase) async throws -> Bool {
        let rows = try await db.query(existsStatement(), timeout: nil)
        return try rows[0].decode(Bool.self, at: 0)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public func exists(_ db: any PostgresDatabase) throws -> Bool {
        try Greenlet.blockingCall { try await exists(db) }
    }

    /// Deletes the rows that fulfil the condition, and returns how many they were.
    ///
    /// - Throws: `ModelError(.unsupported)` for a query with a limit or an offset, or without a condition (say
    ///   `deleteAll`); `PostgresError`, `CancellationError`.
    @discardableResult
    public func delete(_ db: any PostgresDatabase) async throws -> Int {
        try await db.query(deleteStatement(), timeout: nil).affectedRows
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public func delete(_ db: any PostgresDatabase) throws -> Int {
        try Greenlet.blockingCall { try await delete(db) }
    }
}
