public import ReactorCore
import Synchronization

/// A clock that stands still until a test moves it: an hour of timers in a millisecond.
///
/// `advance(by:)` moves it by hand. With `isAutomatic` it jumps to the next timer whenever the reactor has
/// nothing else to do, so code that sleeps runs at once and in order. Safe from any thread. Follows trio's
/// MockClock.
public final class ManualClock: ReactorClock {
    private let time = Mutex(ReactorInstant(nanoseconds: 0))
    private let sleeper = Mutex(Sleeper())

    /// Weak: a reactor holds its clock.
    private struct Sleeper { weak var reactor: Reactor? }

    /// Whether the clock jumps to the next timer when the reactor would sleep.
    public let isAutomatic: Bool

    /// A clock that shows zero.
    public init(isAutomatic: Bool = false) { self.isAutomatic = isAutomatic }

    /// The time it shows.
    public var now: ReactorInstant { time.withLock { $0 } }

    /// Moves the clock; timers that are due by then run in the reactor's next turn, in order.
    public func advance(by duration: Duration) {
        time.withLock { $0 = $0.advanced(by: duration) }
        sleeper.withLock { $0.reactor }?.wake()
    }

    /// Where the reactor asks how long to sleep: for ever, or not at all after a jump.
    public func idle(until deadline: ReactorInstant?) -> Duration? {
        sleeper.withLock { $0.reactor = Reactor.current }
        guard let deadline else { return nil }
        return time.withLock { now in
            // It may have been moved since the reactor looked for due timers, by a thread that did not know
            // whom to wake.
            if isAutomatic { now = max(now, deadline) }
            return now >= deadline ? .zero : nil
        }
    }
}
