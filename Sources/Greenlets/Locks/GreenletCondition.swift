public import ReactorCore

/// A lock and a line of greenlets that wait for what it guards to change. Python's Condition, for greenlets.
///
/// ```swift
/// let condition = GreenletCondition()
/// try await condition.withLock {
///     while stock.isEmpty { try await condition.wait() }
///     return stock.removeLast()
/// }
/// ```
/// `wait` gives the lock back, and has taken it again by the time it returns or throws. First come, first woken.
/// Where the guarded code does not wait itself, an `Event` or a `Queue` does with less. Reactor only.
@ReactorActor
public final class GreenletCondition {
    /// What guards the state.
    public nonisolated let lock: GreenletLock
    private let waiters = ParkingLine()
    private let reactor = Reactor.current

    /// Makes a condition with a lock of its own, or with one that other conditions share.
    public init(lock: GreenletLock = GreenletLock()) { self.lock = lock }

    /// How many wait to be notified.
    public var waiterCount: Int { waiters.count }

    /// Runs `body` with the lock held, as `GreenletLock.withLock`.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before it has the lock; what `body` throws.
    public func withLock<Value: Sendable>(
        _ body: @ReactorActor () async throws -> Value
    ) async throws -> Value { try await lock.withLock(body) }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func withLock<Value: Sendable>(_ body: @ReactorActor () throws -> Value) throws
        -> Value
    {
        try lock.withLock(body)
    }

    /// Gives the lock back and parks the calling task until it is notified, or `timeout` is over; then until it has
    /// the lock again. Whether it was notified.
    ///
    /// - Throws: `GreenletError` with code `notHeld` when the caller has not got the lock; `CancellationError` when
    ///   the task is cancelled. It has the lock again all the same, and has taken nobody's notification.
    @discardableResult
    public func wait(timeout: Duration? = nil) async throws -> Bool {
        let place = try beginToWait()
        let outcome: Result<Bool, any Error>
        do { outcome = .success(try await place.waitUntilOpen(timeout: timeout)) } catch {
            outcome = .failure(error)
        }
        // Its turn comes for certain, if the holders let go: so does the caller's `defer` rely on it.
        if let turn = lock.beginToAcquire() { try await turn.waitUntilOpenUncancellably() }
        return try outcome.get()
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated func wait(timeout: Duration? = nil) throws -> Bool {
        try Greenlet.inFiber { fiber in
            let place = try beginToWait()
            let outcome = Result { try Greenlet.wait(for: place, timeout: timeout) }
            if let turn = lock.beginToAcquire() { try fiber.waitUncancellably(for: turn) }
            return try outcome.get()
        }
    }

    private func beginToWait() throws(GreenletError) -> Latch {
        try checkLock("waited for")
        let place = Latch(on: reactor, for: .subject(self))
        waiters.append(place)
        lock.handOn()
        return place
    }

    /// Wakes those who have waited longest, `count` at most; each goes on when it has the lock. Never waits.
    ///
    /// - Throws: `GreenletError` with code `notHeld` when the caller has not got the lock.
    public func notify(_ count: Int = 1) throws(GreenletError) {
        try checkLock("notified")
        for _ in 0..<count where !waiters.openFirst() { return }
    }

    /// Wakes all who wait. Never waits.
    ///
    /// - Throws: as `notify(_:)`.
    public func notifyAll() throws(GreenletError) {
        try checkLock("notified")
        waiters.openAll()
    }

    private func checkLock(_ action: String) throws(GreenletError) {
        guard lock.isHeldByCaller else {
            throw GreenletError(
                .notHeld,
                "a condition is \(action) by somebody who has not got its lock: do it in withLock { … }")
        }
    }
}

extension GreenletCondition: WaitSubject {
    /// `a condition to be notified`.
    public nonisolated var waitDescription: String { "a condition to be notified" }
}
