extension Deferred {
    /// The outcome, awaited. The calling task parks until the chain has got that far.
    ///
    /// Takes the outcome out of the chain, as a callback would; an error counts as handled. Cancelling the
    /// task cancels the Deferred and throws what comes of that.
    public var value: Success {
        get async throws {
            let waiter = Waiter<Success>(on: .current)
            addBoth { result in
                switch result {
                case .success(let value): waiter.resume(returning: value)
                case .failure(let error): waiter.resume(throwing: error)
                }
            }
            if waiter.isPending {
                let reactor = Reactor.current
                return try await withTaskCancellationHandler {
                    try await waiter.waitUncancellably()
                } onCancel: {
                    reactor.callFromThread { self.cancel() }
                }
            }
            return try await waiter.wait()
        }
    }
}

extension Deferred where Success: Sendable {
    /// Runs `body` as a task on the reactor and fires with its outcome. Twisted's `ensureDeferred`; a
    /// function of `await`s is what `inlineCallbacks` made of generators.
    ///
    /// Cancelling the Deferred cancels the task; the Deferred fires when the task ends, so its clean-up has
    /// run by then.
    public convenience init(
        async body: @escaping @ReactorActor () async throws -> Success,
        on reactor: Reactor = .current, file: StaticString = #fileID, line: UInt = #line
    ) {
        self.init(file: file, line: line)
        let deferred = Deferred(chain)
        // The closure never leaves the reactor's thread: startTask runs it isolated to ReactorActor there.
        let body = UncheckedBox(body)
        let task = reactor.startTask {
            let result: Result<Success, any Error>
            do { result = .success(try await body.value()) } catch { result = .failure(error) }
            // Cannot throw: nobody else fires it, and cancelling only cancels the task.
            switch result {
            case .success(let value): try? deferred.callback(value)
            case .failure(let error): try? deferred.errback(error)
            }
        }
        if !chain.isCalled { chain.canceller = .awaited { task.cancel() } }
    }
}
