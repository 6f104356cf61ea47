public import ReactorCore

/// Runs `body` on `reactor`, in no greenlet, and parks the calling greenlet until it has returned. As
/// `Reactor.blockingCallFromGreenlet`.
@_disfavoredOverload  // or a body without an await would choose it in async code, too
public func blockingCallFromGreenlet<Value: Sendable>(
    _ reactor: Reactor, _ body: @escaping @Sendable @ReactorActor () throws -> Value
) throws -> Value {
    try reactor.blockingCallFromGreenlet { () throws -> Value in try body() }
}

/// As the plain form; the wait is for the outcome of the Deferred that `body` returns.
@_disfavoredOverload
public func blockingCallFromGreenlet<Value: Sendable>(
    _ reactor: Reactor, _ body: @escaping @Sendable @ReactorActor () throws -> Deferred<Value>
) throws -> Value {
    try reactor.blockingCallFromGreenlet { () throws -> Deferred<Value> in try body() }
}

/// As the plain form; the wait is for the end of the `async` body.
@_disfavoredOverload
public func blockingCallFromGreenlet<Value: Sendable>(
    _ reactor: Reactor, _ body: @escaping @Sendable @ReactorActor () async throws -> Value
) throws -> Value {
    try reactor.blockingCallFromGreenlet { () async throws -> Value in try await body() }
}

/// As the plain form, of a function and its arguments: `blockingCallFromGreenlet(reactor, listen, 8080)`.
@_disfavoredOverload
public func blockingCallFromGreenlet<First: Sendable, each Rest: Sendable, Value: Sendable>(
    _ reactor: Reactor,
    _ function: @escaping @Sendable @ReactorActor (First, repeat each Rest) throws -> Value,
    _ first: First, _ rest: repeat each Rest
) throws -> Value {
    try reactor.blockingCallFromGreenlet { () throws -> Value in try function(first, repeat each rest) }
}

/// As the form with a body that returns a Deferred, of a function and its arguments.
@_disfavoredOverload
public func blockingCallFromGreenlet<First: Sendable, each Rest: Sendable, Value: Sendable>(
    _ reactor: Reactor,
    _ function: @escaping @Sendable @ReactorActor (First, repeat each Rest) throws -> Deferred<Value>,
    _ first: First, _ rest: repeat each Rest
) throws -> Value {
    try reactor.blockingCallFromGreenlet { () throws -> Deferred<Value> in
        try function(first, repeat each rest)
    }
}

/// As the synchronous forms, for `async` code.
@ReactorActor public func blockingCallFromGreenlet<Value: Sendable>(
    _ reactor: Reactor, _ body: @escaping @Sendable @ReactorActor () async throws -> Value
) async throws -> Value {
    try await reactor.blockingCallFromGreenlet { () async throws -> Value in try await body() }
}

/// As the `async` form; the wait is for the outcome of the Deferred that `body` returns.
@ReactorActor public func blockingCallFromGreenlet<Value: Sendable>(
    _ reactor: Reactor, _ body: @escaping @Sendable @ReactorActor () throws -> Deferred<Value>
) async throws -> Value {
    try await reactor.blockingCallFromGreenlet { () throws -> Deferred<Value> in try body() }
}

/// As the `async` form, of a function and its arguments.
@ReactorActor public func blockingCallFromGreenlet<First: Sendable, each Rest: Sendable, Value: Sendable>(
    _ reactor: Reactor,
    _ function: @escaping @Sendable @ReactorActor (First, repeat each Rest) async throws -> Value,
    _ first: First, _ rest: repeat each Rest
) async throws -> Value {
    try await reactor.blockingCallFromGreenlet { () async throws -> Value in
        try await function(first, repeat each rest)
    }
}

/// As the `async` form with a body that returns a Deferred, of a function and its arguments.
@ReactorActor public func blockingCallFromGreenlet<First: Sendable, each Rest: Sendable, Value: Sendable>(
    _ reactor: Reactor,
    _ function: @escaping @Sendable @ReactorActor (First, repeat each Rest) throws -> Deferred<Value>,
    _ first: First, _ rest: repeat each Rest
) async throws -> Value {
    try await reactor.blockingCallFromGreenlet { () throws -> Deferred<Value> in
        try function(first, repeat each rest)
    }
}
