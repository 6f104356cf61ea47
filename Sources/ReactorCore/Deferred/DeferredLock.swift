/// One holder at a time, first come, first served, for code that holds it across waits. Twisted's DeferredLock.
///
/// ```swift
/// lock.run { printer.feed() }             // Deferred of what feed() comes to; the lock is held until then
/// try await lock.withLock { try await printer.feed() }
/// ```
/// Reactor only.
@ReactorActor
public final class DeferredLock {
    private let semaphore = DeferredSemaphore(tokens: 1)

    /// Makes a free lock.
    public init() {}

    /// Whether somebody holds it.
    public var isLocked: Bool { semaphore.availableCount == 0 }

    /// How many wait for it.
    public var waiterCount: Int { semaphore.waiterCount }

    /// Fires once the lock is held; it then has to be released. Never waits.
    ///
    /// Cancelled before, it leaves the line; fired already, cancelling does nothing.
    public func acquire(file: StaticString = #fileID, line: UInt = #line) -> Deferred<Void> {
        semaphore.acquire(file: file, line: line)
    }

    /// Gives the lock to whoever waits longest, without unlocking in between.
    ///
    /// - Precondition: it is locked.
    public func release() {
        precondition(isLocked, "release() of a DeferredLock that nobody holds")
        semaphore.release()
    }

    /// Runs `body` with the lock held, and releases it when what it returns has fired. Cancelling leaves the line, or
    /// cancels what `body` returned.
    public func run<Value>(
        _ body: @escaping @ReactorActor () throws -> Deferred<Value>,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        semaphore.run(body, file: file, line: line)
    }

    /// Runs `body` with the lock held.
    public func run<Value>(
        _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        semaphore.run(body, file: file, line: line)
    }

    /// Parks the calling task until it holds the lock, runs `body`, and releases the lock however `body` ends.
    ///
    /// - Throws: what `body` throws; `DeferredError` with code `cancelled` when the task is cancelled in the line.
    public func withLock<Value>(_ body: @ReactorActor () async throws -> Value) async throws -> Value {
        try await semaphore.withToken(body)
    }
}
