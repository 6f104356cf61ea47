extension Deferred {
    /// Adds a stage: the one place where handles are checked and types change.
    @inlinable func adding<Input, Returned, Output>(
        _ body: StageBody<Input, Returned>, _: Output.Type, _ file: StaticString, _ line: UInt,
        _ runner: @escaping DeferredStage.Runner
    ) -> Deferred<Output> {
        let site = CallSite(file, line)
        chain.check(carries: Success.self, at: site)
        if Output.self != Success.self {
            chain.valueType = Output.self
            chain.changedAt = site
        }
        chain.append(DeferredStage(body, site, runner))
        return Deferred<Output>(chain)
    }

    // MARK: Callbacks

    /// Adds a callback: it receives the value, and what it returns goes on; what it throws goes to the next
    /// errback.
    @inlinable @discardableResult
    public func addCallback<Output>(
        _ callback: @escaping @ReactorActor (Success) throws -> Output,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Output> {
        adding(
            StageBody(callback), Output.self, file, line, StageRunners.callback(Success.self, Output.self))
    }

    /// Adds a callback that returns a Deferred: the chain waits for it and goes on with its outcome.
    @inlinable @discardableResult
    public func addCallback<Output>(
        _ callback: @escaping @ReactorActor (Success) throws -> Deferred<Output>,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Output> {
        adding(
            StageBody(callback), Output.self, file, line,
            StageRunners.chainingCallback(Success.self, Output.self))
    }

    /// Adds an `async` callback: it runs as a task on the reactor, and the chain waits for it. Cancelling
    /// cancels the task.
    @discardableResult
    public func addCallback<Output: Sendable>(
        _ callback: @escaping @ReactorActor (Success) async throws -> Output,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Output> {
        addCallback(
            { value -> Deferred<Output> in
                Deferred<Output>(async: { try await callback(value) }, on: .current, file: file, line: line)
            }, file: file, line: line)
    }

    // MARK: Errbacks

    /// Adds an errback: it receives an error, and the value it returns goes on as if nothing had failed.
    /// Values pass it by.
    @inlinable @discardableResult
    public func addErrback(
        _ errback: @escaping @ReactorActor (any Error) throws -> Success,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Success> {
        adding(StageBody(errback), Success.self, file, line, StageRunners.errback(Success.self))
    }

    /// Adds an errback that returns a Deferred: the chain waits for it and goes on with its outcome.
    ///
    /// Disfavoured: a closure that only throws fits both, and means the one above.
    @_disfavoredOverload @inlinable @discardableResult
    public func addErrback(
        _ errback: @escaping @ReactorActor (any Error) throws -> Deferred<Success>,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Success> {
        adding(
            StageBody(errback), Success.self, file, line, StageRunners.chainingErrback(Success.self))
    }

    /// Adds an `async` errback: it runs as a task on the reactor, and the chain waits for it.
    @discardableResult
    public func addErrback(
        _ errback: @escaping @ReactorActor (any Error) async throws -> Success,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Success> where Success: Sendable {
        addErrback(
            { error -> Deferred<Success> in
                Deferred(async: { try await errback(error) }, on: .current, file: file, line: line)
            }, file: file, line: line)
    }

    /// Adds an errback that is told where the error came from, too. A name of its own: `addErrback { … }` could mean either.
    @discardableResult
    public func addFailureErrback(
        _ errback: @escaping @ReactorActor (Failure) throws -> Success,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Success> {
        adding(
            StageBody(errback), Success.self, file, line, StageRunners.failureErrback(Success.self))
    }

    // MARK: Both

    /// Adds a callback for either outcome.
    @inlinable @discardableResult
    public func addBoth<Output>(
        _ callback: @escaping @ReactorActor (Result<Success, any Error>) throws -> Output,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Output> {
        adding(
            StageBody(callback), Output.self, file, line, StageRunners.both(Success.self, Output.self))
    }

    /// Adds a callback for either outcome that returns a Deferred: the chain waits for it.
    @inlinable @discardableResult
    public func addBoth<Output>(
        _ callback: @escaping @ReactorActor (Result<Success, any Error>) throws -> Deferred<Output>,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Output> {
        adding(
            StageBody(callback), Output.self, file, line,
            StageRunners.chainingBoth(Success.self, Output.self))
    }

    /// Adds an `async` callback for either outcome: it runs as a task on the reactor, and the chain waits for it.
    @discardableResult
    public func addBoth<Output: Sendable>(
        _ callback: @escaping @ReactorActor (Result<Success, any Error>) async throws -> Output,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Output> {
        addBoth(
            { result -> Deferred<Output> in
                Deferred<Output>(async: { try await callback(result) }, on: .current, file: file, line: line)
            }, file: file, line: line)
    }

    /// Adds a callback and an errback side by side: the errback does not see what the callback throws. Without an
    /// errback, errors pass by.
    @discardableResult
    public func addCallbacks<Output>(
        _ callback: @escaping @ReactorActor (Success) throws -> Output,
        _ errback: (@ReactorActor (any Error) throws -> Output)? = nil,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Output> {
        guard let errback else { return addCallback(callback, file: file, line: line) }
        return addBoth(
            { result -> Output in
                switch result {
                case .success(let value): try callback(value)
                case .failure(let error): try errback(error)
                }
            }, file: file, line: line)
    }

    /// Fires `other` with the outcome, and keeps none. Twisted's `chainDeferred`.
    ///
    /// Should `other` have fired already, what its `callback` throws is this Deferred's error. Cancelling `other` does
    /// not cancel this one.
    @discardableResult
    public func chainDeferred(
        _ other: Deferred<Success>, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Void> {
        addBoth(
            { result -> Void in try other.fire(with: result, file: file, line: line) }, file: file, line: line
        )
    }
}
