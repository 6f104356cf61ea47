public import ReactorCore

/// A flag that greenlets wait for. gevent's Event.
///
/// ```swift
/// let isReady = Event()
/// Greenlet.spawn { try isReady.wait(); print("go") }
/// isReady.set()
/// ```
/// `set()` wakes all who wait then, first come first, and what happens to the flag afterwards does not concern them:
/// `set()` and `clear()` in one breath is a pulse. Reactor only, but for `setFromThread()`.
@ReactorActor
public final class Event {
    private let waiters = ParkingLine()
    private var links: ReadinessLinks?
    private let reactor = Reactor.current
    /// Whether the flag is set.
    @exclusivity(unchecked) public private(set) var isSet: Bool

    /// Makes an event for greenlets of the current reactor.
    public init(isSet: Bool = false) { self.isSet = isSet }

    /// How many wait.
    public var waiterCount: Int { waiters.count }

    /// Sets the flag and wakes all who wait. Never waits.
    public func set() {
        isSet = true
        waiters.openAll()
        links?.fire()
    }

    /// Clears the flag: who comes from now on waits. Never waits.
    public func clear() { isSet = false }

    /// Sets the flag, soon, in the order of the calls of each thread. Any thread; never waits.
    public nonisolated func setFromThread() {
        reactor.callFromThread { self.set() }
    }

    /// Parks the calling task until the flag has been set, or `timeout` is over. Whether it has been, be it cleared
    /// again.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    @discardableResult
    public func wait(timeout: Duration? = nil) async throws -> Bool {
        if isSet { return true }
        return try await place().waitUntilOpen(timeout: timeout)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated func wait(timeout: Duration? = nil) throws -> Bool {
        try Greenlet.inGreenlet {
            if isSet { return true }
            return try Greenlet.wait(for: place(), timeout: timeout)
        }
    }

    private func place() -> Latch {
        let place = Latch(on: reactor, for: .subject(self))
        waiters.append(place)
        return place
    }
}

extension Event: WaitSubject {
    /// `an event to be set`.
    public nonisolated var waitDescription: String { "an event to be set" }
}

extension Event: Waitable {
    /// Whether the flag is set.
    public var isReady: Bool { isSet }

    /// Calls `action` as the flag is next set; at once when it is set.
    @discardableResult
    public func onReady(_ action: @escaping @ReactorActor () -> Void) -> ReadinessLink {
        let list = links ?? ReadinessLinks()
        links = list
        return list.add(isReady: isSet, action)
    }
}
