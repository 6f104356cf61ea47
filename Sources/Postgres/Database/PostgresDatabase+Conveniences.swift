public import PostgresValues
import ReactorCore

extension PostgresDatabase {
    /// Runs one statement without a time limit; see `query(_:timeout:)`.
    public func query(_ sql: SQL) async throws -> PostgresRows {
        try await query(sql, timeout: nil)
    }

    /// Runs one statement and returns how many rows it selected, inserted, updated or deleted; see `query(_:timeout:)`.
    @discardableResult
    public func execute(_ sql: SQL) async throws -> Int {
        try await query(sql, timeout: nil).affectedRows
    }

    /// Runs one statement and reads the first column of its only row; see `query(_:timeout:)`.
    ///
    /// - Throws: besides, `PostgresError` with code `unexpectedResult` when there is not exactly one row, and
    ///   `PostgresValueError` when the value is not a `T`.
    public func one<T: PostgresDecodable>(_ type: T.Type, _ sql: SQL) async throws -> T {
        let rows = try await query(sql, timeout: nil)
        guard rows.count == 1 else {
            throw PostgresError(
                .unexpectedResult, "one row was expected and \(rows.count) came; use query for any number")
        }
        return try rows[0].decode(type, at: 0)
    }

    /// Runs one statement and reads the first column of its only row as what the context wants.
    public func one<T: PostgresDecodable>(_ sql: SQL) async throws -> T {
        try await one(T.self, sql)
    }
}
