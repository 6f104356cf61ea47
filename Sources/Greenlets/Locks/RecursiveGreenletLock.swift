public import ReactorCore

/// A lock that its holder can take again, handed on first come, first served. gevent's RLock.
///
/// ```swift
/// let accounts = RecursiveGreenletLock("accounts")
/// try await accounts.withLock { try await accounts.withLock { try await transfer() } }
/// ```
/// It is held by a greenlet, in whichever of its tasks, `withTimeout` bodies included: child tasks that a greenlet
/// runs side by side are not kept apart. Outside greenlets it is held by a task. Taken n times it must be given back
/// n times, by its holder. A waiter that is cancelled, killed or out of time before its turn does not get it. Reactor
/// only.
@ReactorActor
public final class RecursiveGreenletLock {
    /// Shown in reports.
    public nonisolated let name: String?
    private let waiters = ParkingLine()
    private let reactor = Reactor.current
    @exclusivity(unchecked) private var owner: LockOwner?
    /// How often its holder has taken it; zero when nobody holds it.
    @exclusivity(unchecked) public private(set) var depth = 0

    /// Makes a lock for greenlets of the current reactor, named for reports.
    public init(_ name: String? = nil) { self.name = name }

    /// Whether somebody holds it.
    public var isLocked: Bool { depth > 0 }
    /// Whether the calling greenlet holds it.
    public var isHeldByCaller: Bool { owner?.isSame(as: .current) ?? false }
    /// How many wait for it.
    public var waiterCount: Int { waiters.count }

    /// Takes the lock if nobody else holds it. Whether nobody did. Never waits.
    public func tryAcquire() -> Bool { take(.current) }

    private func take(_ caller: LockOwner) -> Bool {
        if let owner {
            guard owner.isSame(as: caller) else { return false }
        } else {
            owner = caller
        }
        depth += 1
        return true
    }

    /// Parks the calling task until its greenlet has the lock.
    ///
    /// - Throws: `CancellationError` when the task is cancelled; it has not got the lock then.
    public func acquire() async throws {
        if let place = beginToAcquire() { try await place.waitUntilOpen() }
    }

    /// Parks the calling task until its greenlet has the lock or `timeout` is over. Whether it has it.
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

    /// Gives back one taking; the last gives the lock to whoever waits longest. Never waits.
    ///
    /// - Throws: `GreenletError` with code `notHeld` when the calling greenlet does not hold it.
    public func release() throws(GreenletError) {
        guard isHeldByCaller else {
            throw GreenletError(
                .notHeld,
                "\(waitDescription) is released by somebody who does not hold it: only its holder can give it back"
            )
        }
        giveBack()
    }

    /// Runs `body` with the lock held and gives it back however `body` ends; parks the calling task until it has it.
    ///
    /// - Throws: as `acquire()`; what `body` throws.
    public func withLock<Value: Sendable>(
        _ body: @ReactorActor () async throws -> Value
    ) async throws -> Value {
        try await acquire()
        defer { giveBack() }
        return try await body()
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func withLock<Value: Sendable>(_ body: @ReactorActor () throws -> Value) throws
        -> Value
    {
        try Greenlet.inGreenlet {
            try acquire()
            defer { giveBack() }
            return try body()
        }
    }

    private func beginToAcquire() -> Latch? {
        let caller = LockOwner.current
        if take(caller) { return nil }
        let place = Waiter<LockOwner>(on: reactor, for: .subject(self))
        place.value = caller
        waiters.append(place)
        return place
    }

    private func giveBack() {
        depth -= 1
        guard depth == 0 else { return }
        owner = nil
        guard let first = waiters.first else { return }
        // Put into the line by beginToAcquire(), with a value.
        owner = unsafeDowncast(first, to: Waiter<LockOwner>.self).value
        // Tasks of one greenlet may wait beside each other: to the lock they are one, so all of them have it.
        var next: Latch? = first
        while let place = next, hasValue(place) {
            depth += 1
            place.open()
            next = waiters.first
        }
    }

    private func hasValue(_ place: Latch) -> Bool {
        // As above.
        guard let owner, let waiting = unsafeDowncast(place, to: Waiter<LockOwner>.self).value else {
            return false
        }
        return owner.isSame(as: waiting)
    }
}

extension RecursiveGreenletLock: WaitSubject {
    /// `a recursive lock`, or `recursive lock "accounts"`.
    public nonisolated var waitDescription: String {
        name.map { "recursive lock \"\($0)\"" } ?? "a recursive lock"
    }

    /// The tasks of the greenlet that holds it.
    public nonisolated var holders: [UInt] {
        ReactorActor.assumeIsolated { owner?.tasks ?? [] }  // called on the reactor, as the protocol says
    }
}
