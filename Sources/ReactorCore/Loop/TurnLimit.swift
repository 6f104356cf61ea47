import CLinux

/// How long one part of a turn may go on: a millisecond, then the others get theirs.
///
/// Jobs, timers, jobs that timers made ready and events each have a limit of their own, so floods of all kinds delay
/// each other by four milliseconds and what a few jobs take. Real time, whatever the reactor's clock: it is the machine that
/// must not be held up.
struct TurnLimit {
    private static let nanoseconds: Int64 = 1_000_000
    /// The clock is read after every so many: reading it costs as much as a short job takes.
    private static let interval = 8

    private let deadline = clinux_monotonic_ns() + nanoseconds
    private var remaining = interval
    private let forks = clinux_fork_count()
    private var intervalCount = 0

    /// How many things were done.
    var count: Int { intervalCount * Self.interval + Self.interval - remaining }

    /// Counts one more thing done. Whether the time is over: at once in the child of a fork, for which the rest is not.
    @inline(__always) mutating func isReached() -> Bool {
        if forks != clinux_fork_count() { return true }
        remaining -= 1
        guard remaining == 0 else { return false }
        remaining = Self.interval
        intervalCount &+= 1
        return clinux_monotonic_ns() >= deadline
    }
}
