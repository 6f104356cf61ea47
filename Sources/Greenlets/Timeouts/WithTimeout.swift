import ReactorCore

/// Runs `body`, which must end within `limit`; parks the calling task until it has. gevent's Timeout.
///
/// ```swift
/// let page = try await withTimeout(.seconds(5)) { try await fetch(url) }
/// ```
/// When the time is over the body's task is cancelled, as often as needed: its waits end with `CancellationError`. It
/// keeps its value if it ends with one all the same. Code that never waits is not interrupted. `body` runs in a child
/// task, on the reactor. Nil gives all the time in the world; zero does not fire before the body has first waited.
/// - Throws: `TimeoutError` when the time was over and the body threw, with what it threw as `underlying`; the error of a
///   time-out around this one; what `body` throws before.
@ReactorActor
public func withTimeout<Value: Sendable>(
    _ limit: Duration?, _ body: @ReactorActor (Timeout) async throws -> Value
) async throws -> Value {
    try await runWithTimeout(limit, body)
}

/// What `withTimeout(_:_:)` does, for this module: used from another file of it, a public function of this actor asks for a
/// public import here, which the compiler takes for superfluous when it looks at this file alone.
@ReactorActor
func runWithTimeout<Value: Sendable>(
    _ limit: Duration?, _ body: @ReactorActor (Timeout) async throws -> Value
) async throws -> Value {
    try Task.checkCancellation()
    let scope = TaskScope<Value>()
    let timeout = Timeout(limit) { scope.cancel() }
    defer { timeout.cancel() }
    do {
        return try await scope.run { try await body(timeout) }
    } catch { throw timeout.translate(error, isKilled: Task.isCancelled) }
}

/// As `withTimeout(_:_:)` whose body needs no `Timeout`.
@ReactorActor
public func withTimeout<Value: Sendable>(
    _ limit: Duration?, _ body: @ReactorActor () async throws -> Value
) async throws -> Value {
    try await withTimeout(limit) { (_: Timeout) in try await body() }
}

/// As `withTimeout(_:_:)`, with a value in the place of its `TimeoutError`; those of others pass.
@ReactorActor
public func withTimeout<Value: Sendable>(
    _ limit: Duration?, default value: Value, _ body: @ReactorActor () async throws -> Value
) async throws -> Value {
    var own: Timeout?
    do {
        return try await withTimeout(limit) { timeout in
            own = timeout
            return try await body()
        }
    } catch  where own?.owns(error) == true { return value }
}

/// As the `async` form, for synchronous code in a greenlet: parks the greenlet, whose waits end with the `TimeoutError`.
///
/// A C library's calls fail with ETIMEDOUT once the time is over, until it has returned here. What the greenlet does after
/// the body has its time again.
///
/// - Throws: `TimeoutError` when the time was over and the body threw, with what it threw as `underlying`; the killer's
///   error; `GreenletError` with code `notInGreenlet`; what `body` throws.
@_disfavoredOverload  // or a body without an await would choose it in async code, too
public func withTimeout<Value: Sendable>(
    _ limit: Duration?, _ body: @ReactorActor (Timeout) throws -> Value
) throws -> Value {
    try Greenlet.inFiber { fiber in
        let timeout = Timeout(limit) { fiber.interrupt() }
        defer { timeout.cancel() }
        do { return try fiber.within(timeout) { try body(timeout) } } catch {
            throw timeout.translate(
                error, isKilled: fiber.interruption.map { !($0 is TimeoutError) } ?? false)
        }
    }
}

/// As `withTimeout(_:_:)` whose body needs no `Timeout`.
@_disfavoredOverload
public func withTimeout<Value: Sendable>(
    _ limit: Duration?, _ body: @ReactorActor () throws -> Value
) throws -> Value {
    try withTimeout(limit) { (_: Timeout) in try body() }
}

/// As `withTimeout(_:_:)`, with a value in the place of its `TimeoutError`; those of others pass.
@_disfavoredOverload
public func withTimeout<Value: Sendable>(
    _ limit: Duration?, default value: Value, _ body: @ReactorActor () throws -> Value
) throws -> Value {
    var own: Timeout?
    do {
        return try withTimeout(limit) { timeout in
            own = timeout
            return try body()
        }
    } catch  where own?.owns(error) == true { return value }
}
