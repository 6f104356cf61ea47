extension Deferred where Success: Sendable {
    /// The outcome, awaited. The calling task parks until the chain has got that far.
    ///
    /// The outcome stays: callbacks added later receive it, and other tasks may await it, too. An error counts as
    /// handled. Cancelling the task cancels the Deferred and throws what comes of that.
    public var value: Success {
        get async throws {
            try await value()
        }
    }

    private func value() async throws -> Success {
        let site = CallSite("await of a Deferred", 0)
        chain.check(carries: Success.self, at: site)
        let waiter = Waiter<Success>(on: .current, for: .deferred)
        let body = StageBody<Result<Success, any Error>, Void> { result in
            switch result {
            case .success(let value): waiter.resume(returning: value)
            case .failure(let error): waiter.resume(throwing: error)
            }
        }
        chain.append(DeferredStage(body, site, StageRunners.peek(Success.self)))
        guard waiter.isPending else { return try await waiter.wait() }
        let reactor = Reactor.current
        return try await withTaskCancellationHandler {
            try await waiter.waitUncancellably()
        } onCancel: {
            // As Twisted: at once, where the canceller is on the reactor, too.
            if reactor.isOnReactorThread {
                ReactorActor.assumeIsolated { cancel() }
            } else {
                reactor.callFromThread { cancel() }
            }
        }
    }

    /// Runs `body` as a task on the reactor and fires with its outcome. Twisted's `ensureDeferred`; a
    /// function of `await`s is what `inlineCallbacks` made of generators.
    ///
    /// Cancelling the Deferred cancels the task; the Deferred fires when the task ends, so its clean-up has
    /// run by then.
    public init(
        async body: @escaping @ReactorActor () async throws -> Success,
        on reactor: Reactor = .current, file: StaticString = #fileID, line: UInt = #line
    ) {
        let deferred = Deferred(file: file, line: line)
        chain = deferred.chain
        // The closure never leaves the reactor's thread: startTask runs it isolated to ReactorActor there.
        let body = UncheckedBox(body)
        let task = reactor.startTask {
            let result: Result<Success, any Error>
            do { result = .success(try await body.value()) } catch { result = .failure(error) }
            // Cannot throw: nobody else fires it, and cancelling only cancels the task.
            try? deferred.fire(with: result, file: file, line: line)
        }
        chain.setCanceller(.awaited { _ in task.cancel() })
    }
}

extension Task where Failure == any Error {
    /// A Deferred that fires with the task's outcome. Cancelling it cancels the task, and it fires when that has ended.
    /// Reactor only. Twisted's `fromFuture`.
    @ReactorActor public func deferred(
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Success> {
        let deferred = Deferred<Success>(awaitingCancel: { cancel() }, file: file, line: line)
        _ = Reactor.current.startTask {
            let result = await result
            // Cannot throw: nobody else fires it, and cancelling only cancels the task.
            try? deferred.fire(with: result, file: file, line: line)
        }
        return deferred
    }
}

extension Deferred where Success: Sendable {
    /// A task that ends with the outcome, for code that wants a `Task`. Cancelling it cancels the Deferred. Twisted's
    /// `asFuture`.
    public func task() -> Task<Success, any Error> {
        let body: @Sendable @ReactorActor () async throws -> Success = { try await value }
        return Task(executorPreference: Reactor.current, operation: body)
    }
}
