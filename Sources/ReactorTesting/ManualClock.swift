public import ReactorCore
import Synchronization

/// A clock that stands still until a test moves it: an hour of timers in a millisecond.
///
/// `advance(by:)` moves it by hand. With `isAutomatic` it jumps to the next timer whenever the reactor has nothing else to do, so code
/// that sleeps runs at once and in order. Safe from any thread. Follows trio's MockClock.
public final class ManualClock: ReactorClock {
    private let time = Mutex(ReactorInstant(nanoseconds: 0))
    private let sleeper = Mutex<Reactor?>(nil)

    /// Whether the clock jumps to the next timer when the reactor would sleep.
    public let isAutomatic: Bool

    /// A clock that shows zero.
    public init(isAutomatic: Bool = false) { self.isAutomatic = isAutomatic }

    /// The time it shows.
    public var now: ReactorInstant { time.withLock { $0 } }

    /// Moves the clock; timers that are due by then run in the reactor's next turn, in order.
    public func advance(by duration: Duration) {
        time.withLock { $0 = $0.advanced(by: duration) }
        sleeper.withLock { $0 }?.wake()
    }

    /// Where the reactor asks how long to sleep: for ever, or not at all after a jump.
    public func idle(until deadline: ReactorInstant?) -> Duration? {
        sleeper.withLock { $0 = Reactor.current }
        guard isAutomatic, let deadline else { return nil }
        time.withLock { $0 = max($0, deadline) }
        return .zero
    }
}
