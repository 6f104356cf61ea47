/// Which idle connection is lent next.
@frozen
public enum PoolReuse: Hashable, Sendable {
    /// The one that came back last: few stay busy, the rest can be closed. Default.
    case lastInFirstOut
    /// The one that has been idle for longest: all are used alike, as behind a balancer one wants.
    case roundRobin
}

/// The numbers a ``PoolStateMachine`` decides by.
public struct PoolLimits: Sendable {
    /// Most connections the server may see at once: idle, borrowed, opening and closing together.
    public var maximum: Int
    /// Connections kept open, once the pool is in use, whether they are needed or not.
    public var minimum: Int
    /// Of these, how many are kept ready beside those in use, as far as the maximum allows.
    public var minimumIdle: Int
    /// Most connections being opened at once; each costs CPU and a burst on the server.
    public var maximumOpening: Int
    /// Most waiters; one more is refused at once. `Int.max`: no bound.
    public var maximumWaiting: Int
    /// Age at which a connection is replaced; nil: never.
    public var maximumLifetime: Duration?
    /// Share of the lifetime that chance may take away, 0…1: connections opened together do not end together.
    public var lifetimeJitter: Double
    /// How long a connection beyond the minimum may lie idle; nil: for ever.
    public var idleTimeout: Duration?
    /// How long a connection may be held before that is told; nil: for ever.
    public var leakThreshold: Duration?
    /// Which idle connection is lent next.
    public var reuse: PoolReuse
    /// First pause after a failed connect; doubles with each failure in a row.
    public var firstBackoff: Duration
    /// Longest pause between two attempts while nobody waits.
    public var longestBackoff: Duration
    /// Longest pause between two attempts while somebody waits: short, since it is what the first borrower after an
    /// outage may have to wait for.
    public var longestAwaitedBackoff: Duration
    /// Share of the pause that chance may take away or add, 0…1.
    public var backoffJitter: Double
    /// After trouble, how long an attempt may take while somebody waits before another is begun beside it: one that
    /// was begun when the network was silent does not notice that it no longer is.
    public var patience: Duration

    /// Creates limits; what is not given does not limit.
    @inlinable
    public init(
        maximum: Int = 10, minimum: Int = 0, minimumIdle: Int = 0, maximumOpening: Int = 4,
        maximumWaiting: Int = .max, maximumLifetime: Duration? = nil, lifetimeJitter: Double = 0.1,
        idleTimeout: Duration? = nil, leakThreshold: Duration? = nil, reuse: PoolReuse = .lastInFirstOut,
        firstBackoff: Duration = .milliseconds(50), longestBackoff: Duration = .seconds(5),
        longestAwaitedBackoff: Duration = .milliseconds(300), backoffJitter: Double = 0.2,
        patience: Duration = .milliseconds(400)
    ) {
        self.maximum = maximum
        self.minimum = min(max(minimum, 0), maximum)
        self.minimumIdle = min(max(minimumIdle, 0), maximum)
        self.maximumOpening = maximumOpening
        self.maximumWaiting = maximumWaiting
        self.maximumLifetime = maximumLifetime
        self.lifetimeJitter = lifetimeJitter
        self.idleTimeout = idleTimeout
        self.leakThreshold = leakThreshold
        self.reuse = reuse
        self.firstBackoff = firstBackoff
        self.longestBackoff = longestBackoff
        self.longestAwaitedBackoff = min(longestAwaitedBackoff, longestBackoff)
        self.backoffJitter = backoffJitter
        self.patience = patience
    }

    /// Pause before the next attempt after `failures` failures in a row; `jitter` is in −1…1.
    ///
    /// - Parameter isAwaited: somebody waits for its success.
    @inlinable
    public func backoff(afterFailures failures: Int, isAwaited: Bool, jitter: Double) -> Duration {
        let longest = isAwaited ? longestAwaitedBackoff : longestBackoff
        var pause = firstBackoff
        for _ in 1..<max(failures, 1) {
            if pause >= longest { break }
            pause *= 2
        }
        return min(pause, longest) * (1 + backoffJitter * min(max(jitter, -1), 1))
    }

    /// How old a connection may become; `chance` is in 0…1.
    @inlinable
    func lifetime(chance: Double) -> Duration? {
        maximumLifetime.map { $0 * (1 - lifetimeJitter * min(max(chance, 0), 1)) }
    }

    /// How long the upkeep may sleep at most: what begins meanwhile is then noticed at most a quarter late. A limit of
    /// nothing must not keep it awake.
    @inlinable var upkeepPeriod: Duration? {
        [maximumLifetime, idleTimeout, leakThreshold].compactMap { $0 }.min().map {
            max($0 / 4, .milliseconds(5))
        }
    }
}
