import Greenlets
public import PostgresValues
import ReactorCore

// The same operations for synchronous code in a greenlet: each parks the greenlet and runs the async form.
// Outside a greenlet they throw `GreenletError` with code `notInGreenlet`.

extension PostgresDatabase {
    /// Runs one statement and returns all its rows. Parks the calling greenlet. As the `async` form.
    public nonisolated func query(_ sql: SQL, timeout: Duration?) throws -> PostgresRows {
        try Greenlet.blockingCall { try await self.query(sql, timeout: timeout) }
    }

    /// Runs one statement without a time limit. Parks the calling greenlet. As the `async` form.
    public nonisolated func query(_ sql: SQL) throws -> PostgresRows {
        try Greenlet.blockingCall { try await self.query(sql, timeout: nil) }
    }

    /// Runs one statement and returns the number of rows it touched. Parks the calling greenlet. As the `async` form.
    @discardableResult
    public nonisolated func execute(_ sql: SQL) throws -> Int {
        try Greenlet.blockingCall { try await self.execute(sql) }
    }

    /// Runs one statement and reads its only value. Parks the calling greenlet. As the `async` form.
    public nonisolated func one<T: PostgresDecodable>(_ type: T.Type, _ sql: SQL) throws -> T {
        try Greenlet.blockingCall { try await self.one(type, sql) }
    }

    /// Runs one statement and reads its only value as what the context wants. Parks the calling greenlet.
    public nonisolated func one<T: PostgresDecodable>(_ sql: SQL) throws -> T {
        try Greenlet.blockingCall { try await self.one(T.self, sql) }
    }
}

/// Runs clean-up from synchronous code in a greenlet: parked until it is done; in a killed greenlet, which can wait for
/// nothing any more, in the background.
@ReactorActor
func cleanUp(_ operation: @escaping @Sendable @ReactorActor () async -> Void) {
    var hasRun = false
    try? Greenlet.blockingCall {
        hasRun = true
        await operation()
    }
    if !hasRun { _ = Reactor.current.startTask(operation) }
}
