public import ReactorCore
import Synchronization

/// A clock that stands still until a test moves it: an hour of timers in a millisecond.
///
/// `advance(by:)` moves it by hand; `pump` moves it in steps and lets everything that falls due run. With
/// `isAutomatic` it jumps to the next timer whenever the reactor has nothing else to do, so code that sleeps
/// runs at once and in order. Follows Twisted's `Clock` and trio's `MockClock`.
///
/// ```swift
/// let clock = ManualClock()
/// try await withReactor(clock: clock) { reactor in
///     let greenlet = Greenlet.spawn { try Greenlet.sleep(for: .seconds(60)) }
///     await clock.pump([.zero, .seconds(59)])     // it sleeps now, and still does
///     await clock.pump([.seconds(1)])
///     try await greenlet.get()
/// }
/// ```
public final class ManualClock: ReactorClock {
    private let time = Mutex(ReactorInstant(nanoseconds: 0))
    private let sleeper = Mutex(Sleeper())
    private let settling = Mutex(Settling())

    /// Weak: a reactor holds its clock.
    private struct Sleeper { weak var reactor: Reactor? }

    /// Who waits for the reactor to have nothing to do.
    private struct Settling {
        var waiters: [UnsafeContinuation<Void, Never>] = []
        /// The loop has looked at its descriptors since the last one came.
        var hasPolled = false
    }

    /// Whether the clock jumps to the next timer when the reactor would sleep.
    public let isAutomatic: Bool

    /// A clock that shows zero.
    public init(isAutomatic: Bool = false) { self.isAutomatic = isAutomatic }

    /// The time it shows. Any thread.
    public var now: ReactorInstant { time.withLock { $0 } }

    /// Moves the clock; timers that are due by then run in the reactor's next turn, in order. Any thread;
    /// never waits.
    ///
    /// All of them see the new time. A call made by one of them for the same moment runs in the turn after
    /// that, without another `advance`: Twisted's `Clock`, which runs everything inside `advance`, has the same
    /// order and the same times. To go on when all of that has happened, `await pump([duration])`.
    /// - Precondition: `duration` is not negative.
    public func advance(by duration: Duration) {
        precondition(duration >= .zero, "ManualClock.advance(by: \(duration)): time does not go backwards")
        time.withLock { $0 = $0.advanced(by: duration) }
        sleeper.withLock { $0.reactor }?.wake()
    }

    /// Moves the clock step by step; after each, everything it makes due has run when the next is taken.
    /// Parks the calling task; only on the reactor that has this clock. Twisted's `Clock.pump`.
    @ReactorActor public func pump(_ steps: [Duration]) async {
        for step in steps {
            advance(by: step)
            await settle()
        }
    }

    /// Parks the calling task until the reactor has nothing to do but wait: no timer due, nothing ready, no
    /// descriptor either. Only on the reactor that has this clock.
    ///
    /// Worker threads are not waited for. A task that yields for ever always has something to do.
    @ReactorActor public func settle() async {
        precondition(
            Reactor.current.clock as? ManualClock === self,
            "settle() or pump() of a manual clock that is not this reactor's: nobody would end the wait")
        await withUnsafeContinuation { continuation in
            settling.withLock {
                $0.waiters.append(continuation)
                $0.hasPolled = false
            }
        }
    }

    /// Called by the reactor: how long to sleep, for ever or not at all.
    public func idle(until deadline: ReactorInstant?) -> Duration? {
        sleeper.withLock { $0.reactor = Reactor.current }
        let isDue = time.withLock { now in deadline.map { now >= $0 } ?? false }
        if isDue || settlesNow() { return .zero }
        guard let deadline else { return nil }
        return time.withLock { now in
            // It may have been moved since the reactor looked for due timers, by a thread that did not know
            // whom to wake.
            if isAutomatic { now = max(now, deadline) }
            return now >= deadline ? .zero : nil
        }
    }

    /// Nothing is due and nothing is ready. The first time the loop looks at its descriptors without sleeping,
    /// the second time it has run what they brought, and the waiters go on. Whether the loop must not sleep.
    private func settlesNow() -> Bool {
        let waiters = settling.withLock { state -> [UnsafeContinuation<Void, Never>]? in
            guard !state.waiters.isEmpty else { return nil }
            guard state.hasPolled else {
                state.hasPolled = true
                return []
            }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters ?? [] { waiter.resume() }
        return waiters != nil
    }
}
