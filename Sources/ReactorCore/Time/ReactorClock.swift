import CLinux

/// Where a reactor takes its time from. The default is the machine's monotonic clock; tests bring a manual
/// one.
public protocol ReactorClock: Sendable {
    /// The time now. Never goes backwards. Any thread.
    var now: ReactorInstant { get }

    /// Called on the reactor's thread when nothing is ready: how long may the loop really sleep, given its
    /// next timer?
    ///
    /// Nil means until something wakes it. A manual clock answers nil, or moves itself to `deadline` and
    /// answers zero.
    func idle(until deadline: ReactorInstant?) -> Duration?
}

/// CLOCK_MONOTONIC: unaffected by changes of the wall clock, stopped while the machine sleeps.
public struct MonotonicClock: ReactorClock {
    /// The machine's clock.
    public init() {}

    /// Nanoseconds since boot.
    public var now: ReactorInstant { ReactorInstant(nanoseconds: clinux_monotonic_ns()) }

    /// Until the deadline.
    public func idle(until deadline: ReactorInstant?) -> Duration? {
        deadline.map { now.duration(to: $0) }
    }
}
