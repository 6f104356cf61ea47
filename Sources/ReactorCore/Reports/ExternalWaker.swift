import Synchronization

/// Says that something outside the reactor will wake a task of it: while one is held, no deadlock is reported.
///
/// For threads and libraries that will call `callFromThread`, and for tasks off the reactor, of which the reactor
/// cannot know. Waits for time, descriptors, signals, names, and work in thread pools need none. Any thread.
/// ```swift
/// let waker = reactor.externalWaker()
/// library.onAnswer { answer in
///     reactor.callFromThread { queue.put(answer) }
///     waker.release()
/// }
/// ```
/// Dropping the last reference releases it.
public final class ExternalWaker: Sendable {
    private let reactor: Reactor
    private let isHeld = Atomic(true)

    fileprivate init(_ reactor: Reactor) {
        self.reactor = reactor
        reactor.externalWakerCount.add(1, ordering: .relaxed)
    }

    deinit { release() }

    /// Nothing outside will wake anybody any more. Never waits; a second call does nothing.
    public func release() {
        guard isHeld.exchange(false, ordering: .relaxed) else { return }
        reactor.externalWakerCount.subtract(1, ordering: .releasing)
        // A loop that sleeps for ever has to look whether that is a deadlock now.
        reactor.wake()
    }
}

extension Reactor {
    /// Holds off reports of deadlocks; see `ExternalWaker`. Any thread; never waits.
    public func externalWaker() -> ExternalWaker { ExternalWaker(self) }
}
