public import ReactorCore

extension Reactor {
    /// Runs `body` on this reactor, in no greenlet, and parks the calling greenlet, whose code is synchronous, until it has
    /// returned; hands on its value or error. geventreactor's `blockingCallFromGreenlet`.
    ///
    /// ```swift
    /// let port = try reactor.blockingCallFromGreenlet(factory.listen, 8080)
    /// ```
    /// For code that must not run in a greenlet: it runs from a timer, as it were, and must not wait. The reactor may be the
    /// greenlet's own or one that runs on another thread; one that does not run makes the call when it runs. A `body` that
    /// has not begun when the greenlet is killed, or its time is over, never runs.
    /// - Throws: what `body` throws, with its own type; the killer's error; `GreenletError` with code `notInGreenlet`.
    @_disfavoredOverload  // or a body without an await would choose it in async code, too
    public func blockingCallFromGreenlet<Value: Sendable>(
        _ body: @escaping @Sendable @ReactorActor () throws -> Value
    ) throws -> Value {
        try Greenlet<Never>.inGreenlet {
            try ReactorCall<Value>(on: self) { $0.finish(.success(try body())) }.waitInGreenlet()
        }
    }

    /// As the plain form; the wait is for the outcome of the Deferred that `body` returns, which is cancelled when the greenlet
    /// is killed.
    @_disfavoredOverload
    public func blockingCallFromGreenlet<Value: Sendable>(
        _ body: @escaping @Sendable @ReactorActor () throws -> Deferred<Value>
    ) throws -> Value {
        try Greenlet<Never>.inGreenlet { try callForDeferred(body).waitInGreenlet() }
    }

    /// As the plain form; the wait is for the end of the `async` body, a task on the reactor, which is cancelled when the
    /// greenlet is killed.
    @_disfavoredOverload
    public func blockingCallFromGreenlet<Value: Sendable>(
        _ body: @escaping @Sendable @ReactorActor () async throws -> Value
    ) throws -> Value {
        try Greenlet<Never>.inGreenlet { try callForTask(body).waitInGreenlet() }
    }

    /// As the plain form, of a function and its arguments.
    @_disfavoredOverload
    public func blockingCallFromGreenlet<First: Sendable, each Rest: Sendable, Value: Sendable>(
        _ function: @escaping @Sendable @ReactorActor (First, repeat each Rest) throws -> Value,
        _ first: First, _ rest: repeat each Rest
    ) throws -> Value {
        try blockingCallFromGreenlet { () throws -> Value in try function(first, repeat each rest) }
    }

    /// As the form with a body that returns a Deferred, of a function and its arguments.
    @_disfavoredOverload
    public func blockingCallFromGreenlet<First: Sendable, each Rest: Sendable, Value: Sendable>(
        _ function: @escaping @Sendable @ReactorActor (First, repeat each Rest) throws -> Deferred<Value>,
        _ first: First, _ rest: repeat each Rest
    ) throws -> Value {
        try blockingCallFromGreenlet { () throws -> Deferred<Value> in
            try function(first, repeat each rest)
        }
    }

    // MARK: From async code

    /// As the synchronous forms, for `async` code: parks the calling task; `body` may be `async` or plain.
    ///
    /// - Throws: what `body` throws; `CancellationError` when the calling task is cancelled, and a task that `body` runs in is
    ///   cancelled too.
    @ReactorActor public func blockingCallFromGreenlet<Value: Sendable>(
        _ body: @escaping @Sendable @ReactorActor () async throws -> Value
    ) async throws -> Value {
        try await callForTask(body).wait()
    }

    /// As the `async` form; the wait is for the outcome of the Deferred that `body` returns.
    @ReactorActor public func blockingCallFromGreenlet<Value: Sendable>(
        _ body: @escaping @Sendable @ReactorActor () throws -> Deferred<Value>
    ) async throws -> Value {
        try await callForDeferred(body).wait()
    }

    /// As the `async` form, of a function and its arguments.
    @ReactorActor public func blockingCallFromGreenlet<First: Sendable, each Rest: Sendable, Value: Sendable>(
        _ function: @escaping @Sendable @ReactorActor (First, repeat each Rest) async throws -> Value,
        _ first: First, _ rest: repeat each Rest
    ) async throws -> Value {
        try await blockingCallFromGreenlet { () async throws -> Value in
            try await function(first, repeat each rest)
        }
    }

    /// As the `async` form with a body that returns a Deferred, of a function and its arguments.
    @ReactorActor public func blockingCallFromGreenlet<First: Sendable, each Rest: Sendable, Value: Sendable>(
        _ function: @escaping @Sendable @ReactorActor (First, repeat each Rest) throws -> Deferred<Value>,
        _ first: First, _ rest: repeat each Rest
    ) async throws -> Value {
        try await blockingCallFromGreenlet { () throws -> Deferred<Value> in
            try function(first, repeat each rest)
        }
    }

    @ReactorActor private func callForDeferred<Value: Sendable>(
        _ body: @escaping @Sendable @ReactorActor () throws -> Deferred<Value>
    ) -> ReactorCall<Value> {
        ReactorCall(on: self) { call in
            let deferred = try body()
            call.willEnd { deferred.cancel() }
            deferred.addBoth { result in call.finish(result) }
        }
    }

    @ReactorActor private func callForTask<Value: Sendable>(
        _ body: @escaping @Sendable @ReactorActor () async throws -> Value
    ) -> ReactorCall<Value> {
        ReactorCall(on: self) { [self] call in
            let task = startTask {
                do { call.finish(.success(try await body())) } catch { call.finish(.failure(error)) }
            }
            call.willEnd { task.cancel() }
        }
    }
}
