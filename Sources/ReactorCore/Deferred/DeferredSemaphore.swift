import DequeModule

/// A number of tokens, handed out first come, first served. Twisted's DeferredSemaphore. Reactor only.
@ReactorActor
public final class DeferredSemaphore {
    /// How many may hold a token at once.
    public let limit: Int
    /// Tokens that nobody holds.
    public private(set) var availableCount: Int
    private var waiters = Deque<Deferred<Void>>()

    /// Makes a semaphore with all its tokens.
    ///
    /// - Precondition: `tokens` is at least one.
    public init(tokens: Int) {
        precondition(tokens >= 1, "DeferredSemaphore(tokens: \(tokens)): at least one token is needed")
        limit = tokens
        availableCount = tokens
    }

    /// How many wait for a token.
    public var waiterCount: Int { waiters.count }

    /// Fires once a token is held; it then has to be released. Never waits.
    ///
    /// Cancelled before, it leaves the line; fired already, cancelling does nothing.
    public func acquire(file: StaticString = #fileID, line: UInt = #line) -> Deferred<Void> {
        guard availableCount == 0 else {
            availableCount -= 1
            return .succeed((), file: file, line: line)
        }
        let waiter = Deferred<Void>(
            onCancel: { [weak self] waiter in self?.waiters.removeAll { $0.isSame(as: waiter) } },
            file: file, line: line)
        waiters.append(waiter)
        return waiter
    }

    /// Gives a token back: to whoever waits longest, or to the semaphore.
    ///
    /// - Precondition: a token is held.
    public func release() {
        if let waiter = waiters.popFirst() {
            try? waiter.callback(())  // cannot throw: one that was cancelled has left the line
        } else {
            precondition(
                availableCount < limit, "release() of a DeferredSemaphore that has all its \(limit) tokens")
            availableCount += 1
        }
    }

    /// Runs `body` with a token held, and gives it back when what `body` returns has fired.
    public func run<Value>(
        _ body: @escaping @ReactorActor () throws -> Deferred<Value>,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        acquire(file: file, line: line).addCallback(
            { [self] () -> Deferred<Value> in
                maybeDeferred(body, file: file, line: line).addBoth(
                    { [self] result -> Value in
                        release()
                        return try result.get()
                    }, file: file, line: line)
            }, file: file, line: line)
    }

    /// Runs `body` with a token held.
    public func run<Value>(
        _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        acquire(file: file, line: line).addCallback(
            { [self] () -> Value in
                defer { release() }
                return try body()
            }, file: file, line: line)
    }

    /// Parks the calling task until it holds a token, runs `body`, and gives the token back however `body` ends.
    ///
    /// - Throws: what `body` throws; `DeferredError` with code `cancelled` when the task is cancelled in the line.
    public func withToken<Value>(_ body: @ReactorActor () async throws -> Value) async throws -> Value {
        try await acquire().value
        defer { release() }
        return try await body()
    }
}
