public import ReactorCore

extension Greenlet where Value == Never {
    /// The greenlet that runs the calling code, or nil outside any: `AnyGreenlet.current`. gevent's `getcurrent`.
    @ReactorActor public static var current: AnyGreenlet? { AnyGreenlet.current }

    /// Parks the calling greenlet for `duration`; the reactor goes on. Zero gives way once, as `yield()`.
    ///
    /// - Throws: `CancellationError` when the task is cancelled or the greenlet killed.
    @ReactorActor public static func sleep(for duration: Duration) async throws {
        try await Reactor.current.sleep(for: duration)
    }

    /// As the `async` form, for synchronous code in a greenlet; throws the killer's error when killed.
    public nonisolated static func sleep(for duration: Duration) throws {
        try inFiber { fiber in
            let reactor = Reactor.current
            let latch = Latch(on: reactor, for: .time)
            let timer = reactor.callInternallyLater(duration) { latch.open() }
            do { try fiber.wait(for: latch) } catch {
                timer.cancelIfActive()
                throw error
            }
        }
    }

    /// Lets everything that is ready run once before the calling greenlet goes on. Off a reactor it is `Task.yield()`.
    ///
    /// As `Task.yield()` it does not throw: a loop of it that is to end with the greenlet, or with a time-out, asks
    /// `try Task.checkCancellation()`. Isolated to whoever calls: an isolation of its own would cost a third of the time, in
    /// looks at the task's executor.
    nonisolated(nonsending) public static func yield() async {
        guard Reactor.isOnAnyReactorThread else { return await Task.yield() }
        await withUnsafeContinuation(Reactor.enqueueYielded)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    ///
    /// - Throws: the killer's error once the greenlet has been killed; `GreenletError` with code
    ///   `notInGreenlet`.
    public nonisolated static func yield() throws {
        guard let fiber = Fiber.current else { throw notInGreenlet }
        try fiber.yield()
    }

    /// Parks the calling greenlet until the reactor has nothing to do but wait: nothing is ready and nothing is due. As
    /// `Reactor.waitUntilIdle()`; gevent's `idle`.
    ///
    /// - Throws: `CancellationError` when the task is cancelled or the greenlet killed.
    @ReactorActor public static func waitUntilIdle() async throws {
        try await Reactor.current.waitUntilIdle()
    }

    /// As the `async` form, for synchronous code in a greenlet; throws the killer's error when killed.
    public nonisolated static func waitUntilIdle() throws {
        try inFiber { try $0.wait(for: Reactor.current.latchForIdleness()) }
    }

    /// Runs `operation` on the reactor and parks the calling greenlet until it has ended: the bridge from
    /// synchronous to `async`.
    ///
    /// Every waiting call of this package has a synchronous form that is this one line. Use it for your own:
    /// ```swift
    /// func fetch() throws -> Page { try Greenlet.blockingCall { try await self.fetch() } }
    /// ```
    /// - Throws: what `operation` throws; the killer's error once the greenlet has been killed;
    ///   `GreenletError` with code `notInGreenlet` when no greenlet with a synchronous body runs the calling
    ///   code: there is no stack to park then.
    @inlinable public nonisolated static func blockingCall<Result: Sendable>(
        _ operation: @ReactorActor () async throws -> Result
    ) throws -> Result {
        var result: Result?
        try park { result = try await operation() }
        return result!  // it is set, or park(while:) has thrown
    }

    @usableFromInline nonisolated static func park(
        while operation: @ReactorActor () async throws -> Void
    ) throws {
        try inFiber { try $0.park(while: operation) }
    }

    /// Runs `body` with the fiber that runs the calling code.
    nonisolated static func inFiber<Result: Sendable>(
        _ body: @ReactorActor (Fiber) throws -> Result
    ) throws -> Result {
        guard let fiber = Fiber.current else { throw notInGreenlet }
        // A current fiber means that this is its reactor's thread.
        return try ReactorActor.assumeIsolated { try body(fiber) }
    }

    @usableFromInline nonisolated static var notInGreenlet: GreenletError {
        GreenletError(
            .notInGreenlet,
            """
            a call that waits was made outside a greenlet: wrap it in deferToGreenlet { … }, or use the async form \
            in async code
            """)
    }

    /// Runs `body`, the synchronous form of a call that waits.
    ///
    /// - Throws: what `body` throws; `GreenletError` with code `notInGreenlet` outside a greenlet with a synchronous body.
    @inlinable nonisolated static func inGreenlet<Result: Sendable>(
        _ body: @ReactorActor () throws -> Result
    ) throws -> Result {
        guard isInFiber else { throw notInGreenlet }
        // A current fiber means that this is its reactor's thread.
        return try ReactorActor.runIsolated(body)
    }

    @usableFromInline nonisolated static var isInFiber: Bool { Fiber.isRunning }

    /// Parks the calling greenlet, whose code is synchronous, until `latch` opens.
    ///
    /// - Throws: what the latch was opened with; the killer's error once the greenlet has been killed, a `TimeoutError` once
    ///   its time is over; `GreenletError` with code `notInGreenlet`. The latch is closed then, and in no line.
    @usableFromInline nonisolated static func wait(for latch: Latch) throws {
        guard let fiber = Fiber.current else { throw notInGreenlet }
        try fiber.wait(for: latch)
    }
}
