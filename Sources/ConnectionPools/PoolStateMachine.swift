/// Every decision of a connection pool, and nothing else: no I/O, no clock, no lock.
///
/// A shell feeds it events and carries out the ``PoolActions`` that come back. Connections and waiters are
/// opaque to it. Instants are `Duration`s since any fixed origin.
///
/// What it promises after every event:
/// - *Bound.* Idle, borrowed, opening and closing connections together never exceed the maximum. A place is
///   taken before the connect starts and given up only when the shell says that the close is finished, so
///   that the bound holds as the server sees it.
/// - *First come, first served.* A connection that becomes free, returned or new, goes to the waiter at the
///   head; `tryAcquire` yields nothing while anyone waits. Idle ones are reused last in, first out.
/// - *Progress.* While anyone waits and a place is free, a connection is being opened, or the back-off timer
///   is armed. It never gives up.
/// - *Sweep.* One connection lost because the server went away condemns all opened before it: idle ones are
///   closed at once, borrowed ones when they come back.
///
/// Inlinable throughout, so that the module that names its types gets it specialised: a pool is asked twice per query.
///
/// A place is vacant → opening → idle ⇄ borrowed → closing → vacant; opening → vacant on failure.
public struct PoolStateMachine<Connection, Waiter> {
    /// A connection and its place.
    public typealias Lease = PoolLease<Connection>
    /// What the shell has to do.
    public typealias Actions = PoolActions<Connection, Waiter>

    @usableFromInline
    enum Phase: Sendable { case vacant, opening, idle, borrowed, closing }

    @usableFromInline
    struct Place {
        @usableFromInline var phase = Phase.vacant
        @usableFromInline var serial: UInt64 = 0
        @usableFromInline var generation: UInt64 = 0
        @usableFromInline var since = Duration.zero
        @usableFromInline var connection: Connection?

        @inlinable init() {}
    }

    @usableFromInline
    enum Run: Sendable { case running, closing, drained }

    // Stored beside their public readers: code that other modules specialise has to be able to set them.
    @usableFromInline var _limits: PoolLimits
    @usableFromInline var _counts = PoolCounts()
    @usableFromInline var _failuresInARow = 0

    @usableFromInline var places: [Place] = []
    @usableFromInline var vacant: [Int] = []
    /// Indices of idle places; the last one came back last.
    @usableFromInline var idle: [Int] = []
    @usableFromInline var waiters = WaitQueue<Waiter>()
    @usableFromInline var generation: UInt64 = 0
    @usableFromInline var nextSerial: UInt64 = 1
    @usableFromInline var run = Run.running
    /// Number of the armed back-off timer.
    @usableFromInline var backoff: UInt64?
    @usableFromInline var lastBackoff: UInt64 = 0

    /// Creates an empty pool; the maximum is at least 1.
    @inlinable
    public init(limits: PoolLimits) {
        precondition(limits.maximum > 0 && limits.maximumOpening > 0, "a pool needs room for a connection")
        _limits = limits
        _counts.maximum = limits.maximum
    }

    /// The numbers it decides by.
    @inlinable public var limits: PoolLimits { _limits }
    /// Sizes at this moment.
    @inlinable public var counts: PoolCounts { _counts }
    /// Connect attempts that failed since the last success.
    @inlinable public var failuresInARow: Int { _failuresInARow }

    /// Whether the pool takes no more borrowers.
    @inlinable public var isShutDown: Bool { run != .running }

    /// When the waiter at the head came; nil when nobody waits.
    @inlinable public var headWaitsSince: Duration? { waiters.headSince }

    // MARK: Borrowers

    /// An idle connection, at once; nil when there is none or when somebody waits already.
    @inlinable
    public mutating func tryAcquire(at now: Duration) -> Lease? {
        guard run == .running, waiters.isEmpty, let index = popIdle() else { return nil }
        move(index, to: .borrowed, at: now)
        return lease(index)
    }

    /// Lets a waiter queue. Call it right after `tryAcquire` returned nil.
    ///
    /// The ticket is nil when the waiter is refused at once; the refusal is among the actions.
    @inlinable
    public mutating func wait(_ waiter: Waiter, at now: Duration) -> (ticket: PoolTicket?, actions: Actions) {
        var actions = Actions()
        if run != .running {
            actions.refusals.append((waiter, .closed))
            return (nil, actions)
        }
        if _counts.waiting >= _limits.maximumWaiting {
            actions.refusals.append((waiter, .tooManyWaiting))
            return (nil, actions)
        }
        let ticket = waiters.append(waiter, since: now)
        _counts.waiting = waiters.count
        openIfNeeded(at: now, &actions)
        return (ticket, actions)
    }

    /// Takes a waiter out of the queue in O(1).
    ///
    /// Nil when it has left already: it was refused, or a connection is on its way to it and has to be
    /// released by whoever receives it.
    @inlinable
    public mutating func cancelWaiter(_ ticket: PoolTicket) -> Waiter? {
        let waiter = waiters.remove(ticket)
        _counts.waiting = waiters.count
        return waiter
    }

    /// A borrower gives a connection back.
    @inlinable
    public mutating func release(_ slot: PoolSlot, _ condition: PoolReturn, at now: Duration) -> Actions {
        var actions = Actions()
        guard holds(slot, .borrowed) else { return actions }
        switch condition {
        case .reusable where places[slot.index].generation == generation:
            supply(slot.index, at: now, &actions)
        case .reusable:
            close(slot.index, at: now, &actions)
        case .broken(let loss):
            close(slot.index, at: now, &actions)
            if loss == .serverGone { sweep(after: slot.index, at: now, &actions) }
        }
        return actions
    }

    // MARK: Connections

    /// A connection that was asked for is there.
    @inlinable
    public mutating func connectSucceeded(
        _ slot: PoolSlot, _ connection: Connection, at now: Duration
    ) -> Actions {
        var actions = Actions()
        guard holds(slot, .opening) else { return actions }
        _failuresInARow = 0
        backoff = nil
        places[slot.index].connection = connection
        // The handshake has just ended, so the server lives: whatever was swept meanwhile was older.
        places[slot.index].generation = generation
        supply(slot.index, at: now, &actions)
        openIfNeeded(at: now, &actions)
        return actions
    }

    /// A connection that was asked for could not be had.
    ///
    /// - Parameters:
    ///   - isPermanent: trying again cannot help; everyone who waits is told so at once.
    ///   - jitter: chance in −1…1, spreads the next attempt.
    @inlinable
    public mutating func connectFailed(
        _ slot: PoolSlot, isPermanent: Bool, jitter: Double, at now: Duration
    ) -> Actions {
        var actions = Actions()
        guard holds(slot, .opening) else { return actions }
        // The timer is armed before the place is vacated: else the vacant place would be opened at once.
        if run == .running { noteFailure(isPermanent: isPermanent, jitter: jitter, &actions) }
        vacate(slot.index, at: now, &actions)
        return actions
    }

    @inlinable
    mutating func noteFailure(isPermanent: Bool, jitter: Double, _ actions: inout Actions) {
        if isPermanent {
            for waiter in waiters.removeAll() { actions.refusals.append((waiter, .connectFailedForGood)) }
            _counts.waiting = 0
        }
        // Attempts that were under way together and fail together count once.
        guard backoff == nil else { return }
        _failuresInARow += 1
        lastBackoff += 1
        backoff = lastBackoff
        actions.backoff = (_limits.backoff(afterFailures: _failuresInARow, jitter: jitter), lastBackoff)
    }

    /// The back-off timer with this number fired; an outdated number means nothing.
    @inlinable
    public mutating func backoffElapsed(_ number: UInt64, at now: Duration) -> Actions {
        var actions = Actions()
        guard backoff == number else { return actions }
        backoff = nil
        openIfNeeded(at: now, &actions)
        return actions
    }

    /// The peer of an idle connection closed it. Means nothing when it has been borrowed meanwhile: then
    /// its borrower finds out.
    @inlinable
    public mutating func idleConnectionLost(_ slot: PoolSlot, _ loss: PoolLoss, at now: Duration) -> Actions {
        var actions = Actions()
        guard holds(slot, .idle) else { return actions }
        idle.removeAll { $0 == slot.index }
        close(slot.index, at: now, &actions)
        if loss == .serverGone { sweep(after: slot.index, at: now, &actions) }
        return actions
    }

    /// A connection that was to be closed is gone, for the server too.
    @inlinable
    public mutating func closeFinished(_ slot: PoolSlot, at now: Duration) -> Actions {
        var actions = Actions()
        guard holds(slot, .closing) else { return actions }
        vacate(slot.index, at: now, &actions)
        return actions
    }
}

extension PoolStateMachine: Sendable where Connection: Sendable, Waiter: Sendable {}
extension PoolStateMachine.Place: Sendable where Connection: Sendable {}
