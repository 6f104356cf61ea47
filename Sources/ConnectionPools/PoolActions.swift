/// Names one place in the pool for the life of one connection; never reused.
public struct PoolSlot: Hashable, Sendable {
    @usableFromInline let index: Int
    /// Number of the connection, counted from 1 over the life of the pool.
    public let serial: UInt64

    @inlinable
    init(index: Int, serial: UInt64) {
        self.index = index
        self.serial = serial
    }
}

/// A connection in the hands of a borrower; give it back with ``PoolStateMachine/release(_:_:at:)``.
public struct PoolLease<Connection> {
    /// The place it came from.
    public let slot: PoolSlot
    /// The connection itself.
    public let connection: Connection

    @inlinable
    init(slot: PoolSlot, connection: Connection) {
        self.slot = slot
        self.connection = connection
    }
}

extension PoolLease: Sendable where Connection: Sendable {}

/// Why a waiter got no connection.
@frozen
public enum PoolRefusal: Hashable, Sendable {
    /// The pool is closed or closing.
    case closed
    /// ``PoolLimits/maximumWaiting`` others wait already.
    case tooManyWaiting
    /// A connect failed in a way that trying again cannot mend (wrong password, no such database).
    case connectFailedForGood
    /// Everyone who holds a connection waits for another: without this refusal nobody would ever get one.
    case deadlock
}

/// How a connection came to its end.
@frozen
public enum PoolLoss: Hashable, Sendable {
    /// Only this one is lost (closed by us, broken by its borrower).
    case alone
    /// The server went away or sent it off: those opened before are suspect too.
    case serverGone
}

/// What a connection is good for when its borrower gives it back.
@frozen
public enum PoolReturn: Hashable, Sendable {
    /// As good as new.
    case reusable
    /// Not to be used again.
    case broken(PoolLoss)
}

/// Why the pool closes a connection.
@frozen
public enum PoolEviction: Hashable, Sendable {
    /// It is older than ``PoolLimits/maximumLifetime``.
    case lifetime
    /// Nobody needed it for ``PoolLimits/idleTimeout``.
    case idle
    /// It broke, idle or in use.
    case lost
    /// Another one was lost because the server went away, and this one is as old.
    case swept
    /// All connections are being replaced.
    case recycled
    /// The maximum has become smaller.
    case shrunk
    /// The pool is closing.
    case poolClosed
}

/// A connection to be closed, and why.
public struct PoolClose<Connection> {
    /// The connection and its place.
    public let lease: PoolLease<Connection>
    /// Why.
    public let reason: PoolEviction

    /// The connection.
    @inlinable public var connection: Connection { lease.connection }

    @inlinable
    init(lease: PoolLease<Connection>, reason: PoolEviction) {
        self.lease = lease
        self.reason = reason
    }
}

extension PoolClose: Sendable where Connection: Sendable {}

/// What the shell around a ``PoolStateMachine`` has to do after an event, in the order of the fields.
///
/// At most one connection changes hands per event, so that the common case allocates nothing.
public struct PoolActions<Connection, Waiter> {
    /// Give the connection to the waiter.
    public var handOff: (lease: PoolLease<Connection>, waiter: Waiter)?
    /// Tell these waiters that they get nothing.
    public var refusals: [(waiter: Waiter, reason: PoolRefusal)] = []
    /// Open a connection; answer with `connectSucceeded` or `connectFailed`.
    public var opens: [PoolSlot] = []
    /// Stop opening these; still answer with `connectSucceeded` or `connectFailed`.
    public var abandons: [PoolSlot] = []
    /// Interrupt what the borrowers of these do; they still give them back.
    public var interrupts: [PoolLease<Connection>] = []
    /// Close these; answer with `closeFinished`.
    public var closes: [PoolClose<Connection>] = []
    /// Say that these are held for suspiciously long; each is named once.
    public var leaks: [PoolHolding<Connection>] = []
    /// Arm the one back-off timer; answer with `backoffElapsed` carrying the number.
    /// It replaces one that is armed.
    public var backoff: (delay: Duration, number: UInt64)?
    /// Arm the one timer for attempts that take long; answer with `patienceElapsed` carrying the number.
    public var patience: (delay: Duration, number: UInt64)?
    /// The pool is closed and holds nothing any more.
    public var isDrained = false

    /// Nothing to do.
    @inlinable public init() {}
}
