public import ReactorCore

/// Greenlets of which no more than a number run at once. gevent's Pool.
///
/// ```swift
/// let pool = GreenletPool(limit: 10)
/// for url in urls { try await pool.spawn { try await fetch(url) } }     // parks while ten are at it
/// let pages = try await pool.map(urls) { try await fetch($0) }
/// for try await page in pool.unorderedResults(of: urls, { try await fetch($0) }) { index(page) }
/// ```
/// A slot is free again as soon as its greenlet has ended, however it ended, and goes to whoever waits longest for
/// one; who is cancelled, killed or out of time before its turn takes none. Bodies are `async` or synchronous, as in
/// `Greenlet.spawn`. Dropping a pool ends no greenlet. Reactor only.
@ReactorActor
public final class GreenletPool {
    let slots: PoolSlots
    let group: GreenletGroup
    let reactor = Reactor.current

    /// Makes an empty pool for greenlets of the current reactor.
    ///
    /// - Parameter limit: how many greenlets may run at once; nil for any number, 0 for none ever.
    /// - Precondition: `limit` is not negative.
    public init(limit: Int? = nil) {
        if let limit {
            precondition(
                limit >= 0, "GreenletPool(limit: \(limit)): the limit cannot be negative; nil means none")
        }
        let slots = PoolSlots(limit: limit)
        self.slots = slots
        group = GreenletGroup { slots.giveBack() }
    }

    /// How many greenlets may run at once; nil for any number.
    public var limit: Int? { slots.limit }
    /// Changes how many greenlets may run at once; nil for any number. Raised, those who wait longest begin; lowered, nobody is
    /// ended, and nobody begins before enough have ended. Never waits.
    ///
    /// - Precondition: `limit` is not negative.
    public func adjust(limit: Int?) {
        precondition(
            limit ?? 0 >= 0, "GreenletPool.adjust(limit: \(limit ?? 0)): the limit cannot be negative")
        slots.adjust(limit: limit)
    }

    /// How many greenlets are in it.
    public var count: Int { group.count }
    /// How many slots are free; `Int.max` without a limit.
    public var availableCount: Int { slots.availableCount }
    /// Whether no slot is free.
    public var isFull: Bool { slots.availableCount <= 0 }
    /// How many wait for a slot.
    public var waiterCount: Int { slots.line.count }
    /// Its greenlets, in the order they were spawned.
    ///
    /// - Complexity: O(n log n).
    public var members: [AnyGreenlet] { group.members }
    /// Whether `greenlet` is in it.
    public func contains(_ greenlet: AnyGreenlet) -> Bool { group.contains(greenlet) }

    /// Takes a greenlet out, which goes on; its slot is free. Whether it was in. Never waits.
    @discardableResult
    public func discard(_ greenlet: AnyGreenlet) -> Bool { group.discard(greenlet) }

    // MARK: Slots

    /// Parks the calling task until it has a slot, which the next greenlet that joins gets. Whether it has one in time.
    @usableFromInline func takeSlot(timeout: Duration? = nil) async throws -> Bool {
        if slots.tryTake() { return true }
        return try await place(in: slots.line).waitUntilOpen(timeout: timeout)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @usableFromInline nonisolated func takeSlot(timeout: Duration? = nil) throws -> Bool {
        try Greenlet.inGreenlet {
            if slots.tryTake() { return true }
            return try Greenlet.wait(for: place(in: slots.line), timeout: timeout)
        }
    }

    @usableFromInline func tryTakeSlot() -> Bool { slots.tryTake() }

    /// Puts a greenlet into a slot that was taken.
    @usableFromInline func fillSlot(_ greenlet: AnyGreenlet) {
        if !group.add(greenlet) { slots.giveBack() }
    }

    private func place(in line: ParkingLine) -> Latch {
        let place = Latch(on: reactor, for: .subject(self))
        line.append(place)
        return place
    }

    /// Parks the calling task until a slot is free that nobody waits for, or `timeout` is over. How many are: others
    /// may have taken them all before the caller goes on. gevent's wait_available.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    @discardableResult
    public func waitUntilAvailable(timeout: Duration? = nil) async throws -> Int {
        if isFull { _ = try await place(in: slots.watchers).waitUntilOpen(timeout: timeout) }
        return availableCount
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated func waitUntilAvailable(timeout: Duration? = nil) throws -> Int {
        try Greenlet.inGreenlet {
            if isFull { _ = try Greenlet.wait(for: place(in: slots.watchers), timeout: timeout) }
            return availableCount
        }
    }

    // MARK: All members

    /// Parks the calling task until the pool is empty, as `GreenletGroup.join`.
    ///
    /// - Throws: as there.
    @discardableResult
    public func join(timeout: Duration? = nil, throwingErrors: Bool = false) async throws -> Bool {
        try await group.join(timeout: timeout, throwingErrors: throwingErrors)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated func join(timeout: Duration? = nil, throwingErrors: Bool = false) throws -> Bool {
        try group.join(timeout: timeout, throwingErrors: throwingErrors)
    }

    /// Asks all members to end, as `AnyGreenlet.cancel`. Never waits.
    public func cancel(throwing error: any Error = GreenletExit()) { group.cancel(throwing: error) }

    /// Kills all members, as `GreenletGroup.kill`; those too that come in meanwhile.
    ///
    /// - Throws: as there.
    @discardableResult
    public func kill(throwing error: any Error = GreenletExit(), timeout: Duration? = nil) async throws
        -> Bool
    {
        try await group.kill(throwing: error, timeout: timeout)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated func kill(throwing error: any Error = GreenletExit(), timeout: Duration? = nil) throws
        -> Bool
    {
        try group.kill(throwing: error, timeout: timeout)
    }
}

extension GreenletPool: WaitSubject {
    /// `a slot in a pool with 10 of 10 taken`.
    public nonisolated var waitDescription: String {
        // Called on the reactor, as the protocol says.
        ReactorActor.assumeIsolated {
            guard let limit else { return "a slot in a pool" }
            return "a slot in a pool with \(limit - availableCount) of \(limit) taken"
        }
    }

    /// The tasks of its members.
    public nonisolated var holders: [UInt] { group.holders }
}
