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
///   head; `tryAcquire` yields nothing while anyone waits.
/// - *Progress.* While anyone waits and a place is free, a connection is being opened, or the back-off timer
///   is armed, or the pool is paused. It never gives up, and while anyone waits no pause exceeds
///   ``PoolLimits/longestAwaitedBackoff``, whatever has failed before, nor does an attempt that gets no answer keep the
///   next from being begun for longer than ``PoolLimits/patience``, where there is a second place.
/// - *Sweep.* One connection lost because the server went away condemns all opened before it: idle ones are
///   closed at once, borrowed ones when they come back.
/// - *Minimum.* From its first use on, the pool opens connections until there are as many as it is to keep.
///   One that reaches its age is replaced first, where a place is free, and never closed in use.
/// - *No deadlock of its own.* When everyone who holds a connection waits for another, the last to ask is refused.
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
        /// Past its lifetime: to be replaced as soon as nobody uses it.
        @usableFromInline var isStale = false
        /// Borrowed by somebody who waits for another connection.
        @usableFromInline var isHolderWaiting = false
        /// Borrowed for so long that it was told.
        @usableFromInline var isLeakTold = false
        @usableFromInline var serial: UInt64 = 0
        @usableFromInline var generation: UInt64 = 0
        @usableFromInline var since = Duration.zero
        /// When its lifetime is over.
        @usableFromInline var expires: Duration?
        @usableFromInline var connection: Connection?
        /// Opening, and to be given up.
        @usableFromInline var isAbandoned = false
        /// Who has or last had it.
        @usableFromInline var holder = PoolHolder()

        @inlinable init() {}
    }

    @usableFromInline
    enum Run: Sendable { case running, closing, drained }

    // Stored beside their public readers: code that other modules specialise has to be able to set them.
    @usableFromInline var _limits: PoolLimits
    @usableFromInline var _counts = PoolCounts()
    @usableFromInline var _failuresInARow = 0
    @usableFromInline var _isPaused = false

    @usableFromInline var places: [Place] = []
    @usableFromInline var vacant: [Int] = []
    /// Indices of idle places; the last one came back last.
    @usableFromInline var idle: [Int] = []
    @usableFromInline var waiters = WaitQueue<Waiter>()
    @usableFromInline var generation: UInt64 = 0
    /// The first generation since the last recycle.
    @usableFromInline var recycledGeneration: UInt64 = 0
    /// Why those of an earlier generation are closed.
    @usableFromInline var generationEnd = PoolEviction.swept
    @usableFromInline var nextSerial: UInt64 = 1
    @usableFromInline var run = Run.running
    /// Somebody has used the pool: it keeps its minimum from now on.
    @usableFromInline var isInUse = false
    /// Number of the armed back-off timer.
    @usableFromInline var backoff: UInt64?
    @usableFromInline var lastBackoff: UInt64 = 0
    /// When that pause began, its chance, and whether it is already as short as one who waits wants it.
    @usableFromInline var backoffStart = Duration.zero
    @usableFromInline var backoffChance = 0.0
    @usableFromInline var isBackoffShort = false
    /// A connect has failed or the server gone away, and no connect has succeeded since.
    @usableFromInline var isTroubled = false
    /// Number of the armed timer for attempts that take long.
    @usableFromInline var patience: UInt64?
    @usableFromInline var lastPatience: UInt64 = 0
    /// Places that are idle or borrowed and stale, and the idle ones of these.
    @usableFromInline var staleCount = 0
    @usableFromInline var staleIdleCount = 0
    /// Borrowed places whose holders wait.
    @usableFromInline var blockedCount = 0

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
    /// Whether borrowers are held back.
    @inlinable public var isPaused: Bool { _isPaused }

    /// Whether the pool takes no more borrowers.
    @inlinable public var isShutDown: Bool { run != .running }

    /// When the waiter at the head came; nil when nobody waits.
    @inlinable public var headWaitsSince: Duration? { waiters.headSince }

    // MARK: Borrowers

    /// An idle connection, at once; nil when there is none or when somebody waits already.
    @inlinable
    public mutating func tryAcquire(for holder: PoolHolder = PoolHolder(), at now: Duration) -> Lease? {
        guard run == .running, !_isPaused, waiters.isEmpty, let index = popIdle() else { return nil }
        return lend(index, to: holder, at: now)
    }

    /// Lets a waiter queue. Call it right after `tryAcquire` returned nil.
    ///
    /// The ticket is nil when the waiter is refused at once; the refusal is among the actions.
    /// - Parameter ahead: before all who wait; for one whose turn it was and who got a connection that was no good.
    @inlinable
    public mutating func wait(
        _ waiter: Waiter, for holder: PoolHolder = PoolHolder(), ahead: Bool = false, at now: Duration
    ) -> (ticket: PoolTicket?, actions: Actions) {
        var actions = Actions()
        if run != .running {
            actions.refusals.append((waiter, .closed))
            return (nil, actions)
        }
        if !ahead, _counts.waiting >= _limits.maximumWaiting {
            actions.refusals.append((waiter, .tooManyWaiting))
            return (nil, actions)
        }
        isInUse = true
        let isHolding = note(holder, waits: true)
        let ticket = waiters.append(waiter, since: now, holder: holder, isHolding: isHolding, ahead: ahead)
        _counts.waiting = waiters.count
        shortenBackoff(at: now, &actions)
        openIfNeeded(at: now, &actions)
        let isRefused = isHolding && noticeDeadlock(&actions) == ticket.sequence
        return (isRefused ? nil : ticket, actions)
    }

    /// Takes a waiter out of the queue in O(1), or O(maximum) when it holds a connection.
    ///
    /// Nil when it has left already: it was refused, or a connection is on its way to it and has to be
    /// released by whoever receives it.
    @inlinable
    public mutating func cancelWaiter(_ ticket: PoolTicket) -> Waiter? {
        guard let entry = waiters.remove(ticket) else { return nil }
        noteLeft(entry)
        return entry.waiter
    }

    /// A borrower gives a connection back.
    @inlinable
    public mutating func release(_ slot: PoolSlot, _ condition: PoolReturn, at now: Duration) -> Actions {
        var actions = Actions()
        guard holds(slot, .borrowed) else { return actions }
        let index = slot.index
        if places[index].isHolderWaiting { unblock(index) }
        switch condition {
        case .reusable where places[index].generation == generation:
            supply(index, at: now, &actions)
        case .reusable:
            close(index, generationEnd, at: now, &actions)
            openIfNeeded(at: now, &actions)
        case .broken(let loss):
            close(index, .lost, at: now, &actions)
            if loss == .serverGone { sweep(after: index, at: now, &actions) }
            openIfNeeded(at: now, &actions)
        }
        return actions
    }

    /// Its borrower is done with a connection, but what has to be done before its return goes on: nobody holds it any
    /// more, and it counts as borrowed until it is released.
    @inlinable
    public mutating func returnBegan(_ slot: PoolSlot) {
        guard holds(slot, .borrowed) else { return }
        if places[slot.index].isHolderWaiting { unblock(slot.index) }
        places[slot.index].holder = PoolHolder()
        places[slot.index].isLeakTold = true
    }
}

extension PoolStateMachine: Sendable where Connection: Sendable, Waiter: Sendable {}
extension PoolStateMachine.Place: Sendable where Connection: Sendable {}
