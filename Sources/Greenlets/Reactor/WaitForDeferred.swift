public import ReactorCore

/// Parks the calling greenlet, whose code is synchronous, until `deferred` has fired; returns its value.
///
/// ```swift
/// let page = try waitForDeferred(client.get(url))
/// ```
/// For code in a greenlet alone: a timer's or a Deferred's callback that calls it would wait for the reactor, which waits for
/// the callback. In `async` code the other form is meant.
/// - Throws: the Deferred's error with its own type; the killer's error when the greenlet is killed, and the
///   Deferred is cancelled.
/// - Precondition: The calling code runs in a greenlet with a synchronous body.
@_disfavoredOverload  // or async code would choose it where it forgets nothing but `await`
@ReactorActor public func waitForDeferred<Value: Sendable>(_ deferred: Deferred<Value>) throws -> Value {
    preconditionInGreenlet()
    return try Greenlet.blockingCall { try await deferred.value }
}

/// As for a Deferred of a plain value: a Deferred that is the value of another is waited for in its turn.
@_disfavoredOverload
@ReactorActor public func waitForDeferred<Value: Sendable>(_ deferred: Deferred<Deferred<Value>>) throws
    -> Value
{
    preconditionInGreenlet()
    return try Greenlet.blockingCall { try await deferred.value.value }
}

/// As the synchronous form, for `async` code, in a greenlet or not: `try await deferred.value`.
///
/// - Throws: the Deferred's error with its own type; `CancellationError` or what the Deferred makes of being cancelled when
///   the calling task is.
@ReactorActor public func waitForDeferred<Value: Sendable>(_ deferred: Deferred<Value>) async throws -> Value
{
    try await deferred.value
}

/// As for a Deferred of a plain value.
@ReactorActor public func waitForDeferred<Value: Sendable>(
    _ deferred: Deferred<Deferred<Value>>
) async throws -> Value {
    try await deferred.value.value
}

private func preconditionInGreenlet() {
    precondition(
        Fiber.isRunning,
        """
        waitForDeferred was called on the reactor itself, outside a greenlet: the reactor would wait for a Deferred that \
        only the reactor can fire. Call it in deferToGreenlet { … }, add a callback instead, or in async code write \
        try await deferred.value
        """)
}

extension Reactor {
    /// As the function `waitForDeferred`.
    @_disfavoredOverload
    @ReactorActor public func waitForDeferred<Value: Sendable>(_ deferred: Deferred<Value>) throws -> Value {
        try Greenlets.waitForDeferred(deferred)
    }

    /// As the function `waitForDeferred`.
    @ReactorActor public func waitForDeferred<Value: Sendable>(
        _ deferred: Deferred<Value>
    ) async throws -> Value {
        try await deferred.value
    }
}
