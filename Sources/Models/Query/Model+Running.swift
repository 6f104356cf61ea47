internal import Greenlets
public import Postgres
public import PostgresValues

// Each operation exists twice; see ModelQuery+Running.swift.

extension Model {
    /// Fetches the whole table. Parks the calling task; the values are here when it returns.
    ///
    /// - Throws: As `ModelQuery.fetch(_:)`.
    public static func all(_ db: any PostgresDatabase) async throws -> [Self] {
        try await ModelQuery<Self>().fetch(db)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public static func all(_ db: any PostgresDatabase) throws -> [Self] {
        try Greenlet.blockingCall { try await all(db) }
    }

    /// Fetches values by a statement of your own, whose result must have a column for every stored property; it may
    /// have more, in any order.
    ///
    /// - Throws: As `ModelQuery.fetch(_:)`; `PostgresValueError(.noSuchColumn)` naming a column that is missing.
    public static func all(sql: SQL, _ db: any PostgresDatabase) async throws -> [Self] {
        let rows = try await db.query(sql, timeout: nil)
        return try ModelSchema<Self>.shared().decode(rows)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public static func all(sql: SQL, _ db: any PostgresDatabase) throws -> [Self] {
        try Greenlet.blockingCall { try await all(sql: sql, db) }
    }

    /// Fetches the row with that `id`, nil when there is none. A nil `id` finds nothing and asks nobody.
    ///
    /// - Throws: As `ModelQuery.fetch(_:)`.
    public static func find(_ id: ID, _ db: any PostgresDatabase) async throws -> Self? {
        guard try id.postgresParameter().bytes != nil else { return nil }
        return try await identified(by: id).fetch(db).first
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public static func find(_ id: ID, _ db: any PostgresDatabase) throws -> Self? {
        try Greenlet.blockingCall { try await find(id, db) }
    }

    /// Counts the rows of the table.
    ///
    /// - Throws: `ModelError`, `PostgresError`, `CancellationError`.
    public static func count(_ db: any PostgresDatabase) async throws -> Int {
        try await ModelQuery<Self>().count(db)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public static func count(_ db: any PostgresDatabase) throws -> Int {
        try Greenlet.blockingCall { try await count(db) }
    }

    /// Deletes every row of the table, and returns how many they were.
    ///
    /// - Throws: `ModelError`, `PostgresError`, `CancellationError`.
    @discardableResult
    public static func deleteAll(_ db: any PostgresDatabase) async throws -> Int {
        try await ModelQuery<Self>().where(sql: "true").delete(db)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public static func deleteAll(_ db: any PostgresDatabase) throws -> Int {
        try Greenlet.blockingCall { try await deleteAll(db) }
    }

    /// Inserts the value as a new row and returns the row as stored, with what the database filled in.
    ///
    /// An `id` that is nil is left out, so that the column's default applies; every other nil is stored as NULL.
    ///
    /// - Throws: `ModelError(.notInserted)` when the database stored no row (a trigger may decide so);
    ///   `PostgresValueError`; `PostgresError`, for instance of a constraint; `CancellationError`, after which the row
    ///   is there or not, unless a transaction decides.
    @discardableResult
    public func insert(_ db: any PostgresDatabase) async throws -> Self {
        let schema = try ModelSchema<Self>.shared()
        let rows = try await db.query(schema.insertStatement(self), timeout: nil)
        guard let stored = try schema.decode(rows).first else {
            throw ModelError(.notInserted, "inserting into \(schema.table) stored no row of \(Self.self)")
        }
        return stored
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public func insert(_ db: any PostgresDatabase) throws -> Self {
        try Greenlet.blockingCall { try await insert(db) }
    }
}
