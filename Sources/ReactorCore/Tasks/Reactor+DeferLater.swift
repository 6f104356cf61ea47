extension Reactor {
    /// Fires `delay` from now. Reactor only; never waits.
    ///
    /// Cancelling takes the delayed call back: the Deferred fails at once with `DeferredError.cancelled`. Twisted's
    /// `deferLater`.
    /// - Precondition: `delay` is not negative.
    @ReactorActor public func deferLater(
        _ delay: Duration, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Void> {
        // Weak: the call holds the Deferred, and the queue holds the call while it matters.
        weak var call: DelayedCall?
        let deferred = Deferred<Void>(onCancel: { _ in call?.cancelIfActive() }, file: file, line: line)
        call = callLater(
            delay, { try deferred.callback((), file: file, line: line) }, file: file, line: line)
        return deferred
    }

    /// Calls `body`, `delay` from now, and fires with what it returns or throws.
    ///
    /// ```swift
    /// reactor.deferLater(.seconds(3)) { "three seconds later" }.addCallback { print($0) }
    /// ```
    /// Cancelled before, `body` never runs. Otherwise as without it.
    @ReactorActor public func deferLater<Value>(
        _ delay: Duration, _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        deferLater(delay, file: file, line: line)
            .addCallback({ () -> Value in try body() }, file: file, line: line)
    }

    /// Calls `body`, `delay` from now, and fires with the outcome of the Deferred it returns. Cancelled from then on,
    /// that Deferred is cancelled.
    @ReactorActor public func deferLater<Value>(
        _ delay: Duration, _ body: @escaping @ReactorActor () throws -> Deferred<Value>,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        deferLater(delay, file: file, line: line)
            .addCallback({ () -> Deferred<Value> in try body() }, file: file, line: line)
    }

    /// Runs `body` as a task on the reactor, `delay` from now, and fires with its outcome. Cancelled from then on, the
    /// task is cancelled, and the Deferred fires when it has ended.
    @ReactorActor public func deferLater<Value: Sendable>(
        _ delay: Duration, _ body: @escaping @ReactorActor () async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        deferLater(delay, file: file, line: line)
            .addCallback({ () async throws -> Value in try await body() }, file: file, line: line)
    }
}
