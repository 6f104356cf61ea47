public import PostgresValues
public import ReactorCore

/// Something that runs statements: a pool, a connection, a transaction.
///
/// Each waiting operation exists twice: `try await db.query(…)` for tasks, and `try db.query(…)` for synchronous code
/// in a greenlet, which parks that greenlet. Swift picks by context.
///
/// Cancelling the task or killing the greenlet cancels the statement on the server and waits until it has ended
/// there; the connection stays usable. The operation then throws `CancellationError`, unless the statement was done
/// already: then its result is returned. When the server does not say how it ended, within `cancelGrace` of the
/// configuration, the operation throws `connectionLost` with the `CancellationError` as `underlying`: nobody knows whether the
/// statement took effect; see `PostgresError.isOutcomeUnknown`. Time limits and the close of a pool act alike.
@ReactorActor
public protocol PostgresDatabase: AnyObject, Sendable {
    /// Runs one statement and returns all its rows. Parks the calling task.
    ///
    /// - Parameter timeout: after this long the statement is cancelled on the server; nil: never. For a pool it does not
    ///   include the wait for a connection.
    /// - Throws: `PostgresError`: `server` for what the server refused, `timedOut`, `connectionLost`, `connectionBusy`,
    ///   `connectionClosed`, and for a pool what acquiring can throw. `PostgresValueError` for a value that cannot be
    ///   bound. `CancellationError`.
    func query(_ sql: SQL, timeout: Duration?) async throws -> PostgresRows

    /// Runs `body` in a transaction; see the form that takes the options as arguments.
    func transaction<T: Sendable>(
        _ options: PostgresTransactionOptions, _ body: @ReactorActor (PostgresTransaction) async throws -> T
    ) async throws -> T

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// The same for synchronous code in a greenlet; parks the greenlet at BEGIN, COMMIT and wherever `body` waits.
    @_disfavoredOverload
    func transaction<T: Sendable>(
        _ options: PostgresTransactionOptions, _ body: @ReactorActor (PostgresTransaction) throws -> T
    ) throws -> T

    /// Runs `body` with a pipeline, by which it sends several statements in one round trip; see `PostgresPipeline`. What is queued
    /// when it returns is sent then, and when it throws, never.
    ///
    /// - Throws: what `body` throws; what concerns the pipeline as a whole; the error of a statement whose value was not read.
    func withPipeline<T: Sendable>(_ body: @ReactorActor (PostgresPipeline) async throws -> T) async throws
        -> T

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// The same for synchronous code in a greenlet; parks the greenlet at each `flush()` and at the end.
    @_disfavoredOverload
    func withPipeline<T: Sendable>(_ body: @ReactorActor (PostgresPipeline) throws -> T) throws -> T
}
