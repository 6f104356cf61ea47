import ReactorCore

/// Runs `body` to its end whatever happens to the calling task meanwhile: cancellation, kills and time-outs around it do
/// not reach it. For what must not be left half done.
///
/// ```swift
/// do { try await work(connection) } catch {
///     try await withCancellationShield { try await connection.rollback() }
///     throw error
/// }
/// ```
/// What came meanwhile counts from the end of `body` on: the next wait ends with it. A time-out inside `body` works. Parks
/// the calling task.
///
/// - Throws: what `body` throws.
@ReactorActor
public func withCancellationShield<Value: Sendable>(
    _ body: @ReactorActor () async throws -> Value
) async throws -> Value {
    try await TaskScope<Value>().run(isShielded: true, body)
}

/// As the `async` form, for synchronous code in a greenlet; calls of C libraries in `body` do not fail either.
///
/// - Throws: what `body` throws; `GreenletError` with code `notInGreenlet`.
@_disfavoredOverload  // or a body without an await would choose it in async code, too
public func withCancellationShield<Value: Sendable>(
    _ body: @ReactorActor () throws -> Value
) throws -> Value {
    try Greenlet.inFiber { try $0.withShield(body) }
}
