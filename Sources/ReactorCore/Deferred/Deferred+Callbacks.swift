extension Deferred {
    // MARK: Callbacks

    /// Adds a callback: it receives the value, and what it returns goes on; what it throws goes to the next
    /// errback.
    @discardableResult
    public func addCallback<Output>(
        _ callback: @escaping @ReactorActor (Success) throws -> Output,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Output> {
        chain.append(Success.self, Output.self, file: file, line: line) { result in
            .result { try callback(result.get()) }
        }
    }

    /// Adds a callback that returns a Deferred: the chain waits for it and goes on with its outcome.
    @discardableResult
    public func addCallback<Output>(
        _ callback: @escaping @ReactorActor (Success) throws -> Deferred<Output>,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Output> {
        chain.append(Success.self, Output.self, file: file, line: line) { result in
            .deferred { try callback(result.get()) }
        }
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
    @discardableResult
    public func addErrback(
        _ errback: @escaping @ReactorActor (any Error) throws -> Success,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Success> {
        chain.append(Success.self, Success.self, file: file, line: line) { result in
            .result {
                switch result {
                case .success(let value): value
                case .failure(let error): try errback(error)
                }
            }
        }
    }

    /// Adds an errback that returns a Deferred: the chain waits for it and goes on with its outcome.
    @discardableResult
    public func addErrback(
        _ errback: @escaping @ReactorActor (any Error) throws -> Deferred<Success>,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Success> {
        chain.append(Success.self, Success.self, file: file, line: line) { result in
            switch result {
            case .success(let value): .outcome(.success(DeferredChain.Box(value)))
            case .failure(let error): .deferred { try errback(error) }
            }
        }
    }

    // MARK: Both

    /// Adds a callback for either outcome.
    @discardableResult
    public func addBoth<Output>(
        _ callback: @escaping @ReactorActor (Result<Success, any Error>) throws -> Output,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Output> {
        chain.append(Success.self, Output.self, file: file, line: line) { result in
            .result { try callback(result) }
        }
    }

    /// Adds a callback and an errback side by side: the errback does not see what the callback throws.
    @discardableResult
    public func addCallbacks<Output>(
        _ callback: @escaping @ReactorActor (Success) throws -> Output,
        _ errback: (@ReactorActor (any Error) throws -> Output)? = nil,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Output> {
        addBoth(
            { result in
                switch result {
                case .success(let value): return try callback(value)
                case .failure(let error):
                    guard let errback else { throw error }
                    return try errback(error)
                }
            }, file: file, line: line)
    }
}

extension DeferredChain.Step {
    /// The step of a stage that computes its outcome now.
    @ReactorActor static func result<Output>(_ body: () throws -> Output) -> Self {
        do { return .outcome(.success(DeferredChain.Box(try body()))) } catch {
            return .outcome(.failure(error))
        }
    }

    /// The step of a stage that waits for a Deferred.
    @ReactorActor static func deferred<Output>(_ body: () throws -> Deferred<Output>) -> Self {
        do {
            let chain = try body().chain
            chain.check(carries: Output.self)
            return .wait(chain)
        } catch { return .outcome(.failure(error)) }
    }
}
