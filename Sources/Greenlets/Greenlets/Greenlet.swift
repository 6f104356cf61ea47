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
    /// Set as the body returns.
    @exclusivity(unchecked) @usableFromInline var value: Value?

    /// How the greenlet ended: its value, its error, or what it was killed with. Nil until then.
    public var result: Result<Value, any Error>? {
        guard isReady else { return nil }
        if let failure { return .failure(failure) }
        return .success(value!)  // one of the two is set as the greenlet ends
    }

    /// Spawns a greenlet with a synchronous body, which runs on a stack of its own. Never waits.
    ///
    /// - Parameters:
    ///   - name: shown in reports; `greenlet-ID` by default.
    ///   - body: what it runs. In it every waiting call takes its synchronous form.
    @inlinable public static func spawn(
        name: String? = nil, _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Greenlet {
        let greenlet = Greenlet(name: name, CallSite(file, line))
        greenlet.run(body)
        return greenlet
    }

    /// Spawns a greenlet with an `async` body, a Swift task. Never waits.
    @inlinable public static func spawn(
        name: String? = nil, _ body: @escaping @ReactorActor () async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Greenlet {
        let greenlet = Greenlet(name: name, CallSite(file, line))
        greenlet.run(body)
        return greenlet
    }

    /// Starts a synchronous body, in a coming turn. Once.
    @inlinable @inline(__always) func run(_ body: @escaping @ReactorActor () throws -> Value) {
        launchOnFiber {
            do { self.value = try body() } catch { return error }
            return nil
        }
    }

    /// Starts an `async` body. Once.
    @inlinable @inline(__always) func run(_ body: @escaping @ReactorActor () async throws -> Value) {
        keep(AnyGreenletBody(GreenletBody(body)))
        // It captures the greenlet and nothing else, and so needs no object of its own for what it captures.
        launch {
            guard let body = self.begin() else { return }
            do {
                self.value = try await GreenletBody<Value>(body).call()
                self.end(throwing: nil)
            } catch { self.end(throwing: error) }
        }
    }

    @usableFromInline override init(name: String?, _ site: CallSite) { super.init(name: name, site) }

    /// Calls `observer` with the outcome, on the reactor, when the greenlet has ended; at once when it has
    /// already.
    func whenReady(_ observer: @escaping @ReactorActor (Result<Value, any Error>) -> Void) {
        // It is called as the greenlet ends, or now.
        onEnd { [unowned self] in observer(result!) }
    }

    /// Parks the calling task until the greenlet has ended; returns its value.
    ///
    /// - Throws: the greenlet's error; `GreenletExit` (or its killer's error) when it was killed;
    ///   `GreenletError` with code `timedOut` after `timeout`, and the greenlet goes on; `CancellationError`
    ///   when the calling task is cancelled.
    @inlinable public func get(timeout: Duration? = nil) async throws -> Value {
        if timeout == nil {
            // Not by join(): on return from each `async` function the runtime looks up the task's executor, under a lock.
            if !isReady { try await latchForEnd().waitUntilOpen() }
            if let failure { throw failure }
            return value!  // one of the two is set as the greenlet ends
        }
        guard try await join(timeout: timeout), let result else { throw notEnded(within: timeout) }
        return try result.get()
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @inlinable public nonisolated func get(timeout: Duration? = nil) throws -> Value {
        // Not by `result`: where this is compiled for no particular value, its type would be looked up each time.
        try Greenlet<Never>.inGreenlet {
            guard try join(timeout: timeout) else { throw notEnded(within: timeout) }
            if let failure { throw failure }
            return value!  // one of the two is set as the greenlet ends
        }
    }

    @usableFromInline func notEnded(within timeout: Duration?) -> GreenletError {
        GreenletError(
            .timedOut, "greenlet \"\(name)\" has not ended within \(timeout.map { "\($0)" } ?? "no time")")
    }
}
