public import ReactorCore

/// A lock that one greenlet holds at a time, handed on first come, first served.
///
/// ```swift
/// let films = GreenletLock("films")
/// try await films.withLock { try await rewrite(file) }
/// ```
/// Needed only around code that waits: between two waits nobody else runs. Who holds it and takes it again waits for
/// itself: see `RecursiveGreenletLock`. Another greenlet may give it back. Given back, it goes straight to whoever
/// waits longest; a waiter that is cancelled, killed or out of time before its turn does not get it. Reactor only.
@ReactorActor
public final class GreenletLock {
    /// Shown in reports.
    public nonisolated let name: String?
    private let waiters = ParkingLine()
    private let reactor = Reactor.current
    @exclusivity(unchecked) private var owner: LockOwner?

    /// Makes a lock for greenlets of the current reactor, named for reports.
    public init(_ name: String? = nil) { self.name = name }

    /// Whether somebody holds it.
    public var isLocked: Bool { owner != nil }
    /// How many wait for it.
    public var waiterCount: Int { waiters.count }
    /// Whether the calling greenlet took it.
    var isHeldByCaller: Bool { owner?.isSame(as: .current) ?? false }

    /// Takes the lock if nobody holds it. Whether nobody did. Never waits.
    public func tryAcquire() -> Bool {
        guard owner == nil else { return false }
        owner = .current
        return true
    }

    /// Parks the calling task until it has the lock.
    ///
    /// - Throws: `CancellationError` when the task is cancelled; it has not got the lock then.
    public func acquire() async throws {
        if let place = beginToAcquire() { try await place.waitUntilOpen() }
    }

    /// Parks the calling task until it has the lock or `timeout` is over. Whether it has it.
    ///
    /// - Throws: as `acquire()`.
    public func acquire(timeout: Duration?) async throws -> Bool {
        guard let place = beginToAcquire() else { return true }
        return try await place.waitUntilOpen(timeout: timeout)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func acquire() throws {
        try Greenlet.inGreenlet {
            if let place = beginToAcquire() { try Greenlet.wait(for: place) }
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func acquire(timeout: Duration?) throws -> Bool {
        try Greenlet.inGreenlet {
            guard let place = beginToAcquire() else { return true }
            return try Greenlet.wait(for: place, timeout: timeout)
        }
    }

    /// Gives the lock to whoever waits longest, or to nobody. Never waits.
    ///
    /// - Throws: `GreenletError` with code `notHeld` when nobody holds it.
    public func release() throws(GreenletError) {
        guard owner != nil else {
            throw GreenletError(.notHeld, "\(waitDescription) is released that nobody holds")
        }
        handOn()
    }

    /// Runs `body` with the lock held and gives it back however `body` ends; parks the calling task until it has it.
    ///
    /// - Throws: as `acquire()`; what `body` throws.
    public func withLock<Value: Sendable>(
        _ body: @ReactorActor () async throws -> Value
    ) async throws -> Value {
        try await acquire()
        defer { handOn() }
        return try await body()
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func withLock<Value: Sendable>(_ body: @ReactorActor () throws -> Value) throws
        -> Value
    {
        try Greenlet.inGreenlet {
            try acquire()
            defer { handOn() }
            return try body()
        }
    }

    /// Takes the lock, or returns the place in the line where the caller has to wait.
    func beginToAcquire() -> Latch? {
        if tryAcquire() { return nil }
        let place = Waiter<LockOwner>(on: reactor, for: .subject(self))
        place.value = .current
        waiters.append(place)
        return place
    }

    /// Gives the lock to whoever waits longest, or to nobody.
    func handOn() {
        guard let place = waiters.first else {
            owner = nil
            return
        }
        // Put into the line by beginToAcquire().
        owner = unsafeDowncast(place, to: Waiter<LockOwner>.self).value
        place.open()
    }
}

extension GreenletLock: WaitSubject {
    /// `a lock`, or `lock "films"`.
    public nonisolated var waitDescription: String { name.map { "lock \"\($0)\"" } ?? "a lock" }

    /// The tasks of the greenlet that took it.
    public nonisolated var holders: [UInt] {
        ReactorActor.assumeIsolated { owner?.tasks ?? [] }  // called on the reactor, as the protocol says
    }
}
