public import ReactorCore

/// A green thread: code that runs beside others on the reactor's one thread and gives way where it waits.
///
/// The body is an `async` closure, an ordinary Swift task, or a *synchronous* one, which runs on a small
/// stack of its own and whose waits park that stack: blocking-looking code, C libraries included.
///
/// ```swift
/// let greenlet = Greenlet.spawn { try Film.all(db) }       // synchronous: looks blocking, parks
/// let other = Greenlet.spawn { try await Film.all(db) }    // async
/// let films = try await greenlet.get()
/// ```
/// A spawned body never runs before its spawner waits; bodies start in the order they were spawned. Dropping
/// the handle does not end the greenlet. An error that nobody waits for goes to `reactor.onUncaughtError`.
/// Reactor only; follows gevent's Greenlet.
@ReactorActor
public final class Greenlet<Value: Sendable>: AnyGreenlet {
    /// How the greenlet ended: its value, its error, or what it was killed with. Nil until then.
    public private(set) var result: Result<Value, any Error>?

    /// Whether it has ended and not by an error of its own; being killed by `GreenletExit` is no error.
    public var isSuccessful: Bool {
        switch result {
        case nil: false
        case .success: true
        case .failure(let error): error is GreenletExit
        }
    }

    /// Spawns a greenlet with a synchronous body, which runs on a stack of its own. Never waits.
    ///
    /// - Parameters:
    ///   - name: shown in reports; `greenlet-ID` by default.
    ///   - body: what it runs. In it every waiting call takes its synchronous form.
    public static func spawn(
        name: String? = nil, _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Greenlet {
        let greenlet = Greenlet(name: name, file: file, line: line)
        greenlet.start { [unowned greenlet] in await greenlet.runOnFiber(body) }
        return greenlet
    }

    /// Spawns a greenlet with an `async` body, a Swift task. Never waits.
    public static func spawn(
        name: String? = nil, _ body: @escaping @ReactorActor () async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Greenlet {
        let greenlet = Greenlet(name: name, file: file, line: line)
        greenlet.start { [unowned greenlet] in await greenlet.runAsTask(body) }
        return greenlet
    }

    private func runAsTask(_ body: @ReactorActor () async throws -> Value) async {
        if let killError { return finish(.failure(killError)) }
        isStarted = true
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        finish(result)
    }

    private func runOnFiber(_ body: @escaping @ReactorActor () throws -> Value) async {
        if let killError { return finish(.failure(killError)) }
        isStarted = true
        var result: Result<Value, any Error>?
        do {
            try await Fiber.run(started: { fiber = $0 }) {
                do { result = .success(try body()) } catch { result = .failure(error) }
            }
        } catch {
            result = .failure(error)
        }
        finish(result!)  // the fiber has run to its end, or Fiber.run threw
    }

    private func finish(_ outcome: Result<Value, any Error>) {
        var outcome = outcome
        if case .failure(let error) = outcome, let killError, DeferredError.isCancellation(error) {
            outcome = .failure(killError)
        }
        result = outcome
        let observers = observers
        self.observers = []
        for observer in observers { observer(outcome) }
        // A waiter that has timed out or was cancelled is in the line until its task runs; it hears of
        // nothing.
        guard case .failure(let error) = outcome, observers.isEmpty,
            !completionWaiters.contains(where: \.isPending)
        else { return }
        if error is GreenletExit || error is CancellationError { return }
        reactor.onUncaughtError(error, "greenlet \"\(name)\" spawned at \(spawnLocation)")
    }

    private var observers: [@ReactorActor (Result<Value, any Error>) -> Void] = []

    /// Calls `observer` with the outcome, on the reactor, when the greenlet has ended; at once when it has
    /// already.
    func whenReady(_ observer: @escaping @ReactorActor (Result<Value, any Error>) -> Void) {
        if let result { observer(result) } else { observers.append(observer) }
    }

    /// Parks the calling task until the greenlet has ended; returns its value.
    ///
    /// - Throws: the greenlet's error; `GreenletExit` (or its killer's error) when it was killed;
    ///   `GreenletError` with code `timedOut` after `timeout`, and the greenlet goes on; `CancellationError`
    ///   when the calling task is cancelled.
    public func get(timeout: Duration? = nil) async throws -> Value {
        guard try await join(timeout: timeout), let result else {
            throw GreenletError(
                .timedOut, "greenlet \"\(name)\" has not ended within \(timeout.map { "\($0)" } ?? "no time")"
            )
        }
        return try result.get()
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func get(timeout: Duration? = nil) throws -> Value {
        try Greenlet<Never>.blockingCall { try await self.get(timeout: timeout) }
    }
}
