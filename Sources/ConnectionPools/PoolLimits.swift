/// The numbers a ``PoolStateMachine`` decides by.
public struct PoolLimits: Sendable {
    /// Most connections the server may see at once: idle, borrowed, opening and closing together.
    public var maximum: Int
    /// Most connections being opened at once; each costs CPU and a burst on the server.
    public var maximumOpening: Int
    /// Most waiters; one more is refused at once. `Int.max`: no bound.
    public var maximumWaiting: Int
    /// First pause after a failed connect; doubles with each failure in a row.
    public var firstBackoff: Duration
    /// Longest pause between two attempts.
    public var longestBackoff: Duration
    /// Share of the pause that chance may take away or add, 0…1.
    public var backoffJitter: Double

    /// Creates limits; the defaults are those of the pool.
    @inlinable
    public init(
        maximum: Int = 10, maximumOpening: Int = 4, maximumWaiting: Int = .max,
        firstBackoff: Duration = .milliseconds(50), longestBackoff: Duration = .seconds(5),
        backoffJitter: Double = 0.2
    ) {
        self.maximum = maximum
        self.maximumOpening = maximumOpening
        self.maximumWaiting = maximumWaiting
        self.firstBackoff = firstBackoff
        self.longestBackoff = longestBackoff
        self.backoffJitter = backoffJitter
    }

    /// Pause before the next attempt after `failures` failures in a row; `jitter` is in −1…1.
    @inlinable
    public func backoff(afterFailures failures: Int, jitter: Double) -> Duration {
        var pause = firstBackoff
        for _ in 1..<max(failures, 1) where pause < longestBackoff { pause *= 2 }
        return min(pause, longestBackoff) * (1 + backoffJitter * min(max(jitter, -1), 1))
    }
}
