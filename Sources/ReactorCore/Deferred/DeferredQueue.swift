import DequeModule

/// A line of values and a line of those who wait for one: `get` before `put` or `put` before `get`. Twisted's
/// DeferredQueue. Reactor only.
@ReactorActor
public final class DeferredQueue<Element> {
    /// The most values kept; nil for any number.
    public let capacity: Int?
    /// The most that may wait; nil for any number.
    public let backlog: Int?
    private var elements = Deque<Element>()
    private var waiters = Deque<Deferred<Element>>()

    /// Makes an empty queue.
    ///
    /// - Precondition: neither bound is negative.
    public init(capacity: Int? = nil, backlog: Int? = nil) {
        precondition(
            capacity ?? 0 >= 0, "DeferredQueue(capacity: \(capacity ?? 0)): a bound cannot be negative")
        precondition(backlog ?? 0 >= 0, "DeferredQueue(backlog: \(backlog ?? 0)): a bound cannot be negative")
        self.capacity = capacity
        self.backlog = backlog
    }

    /// Values that nobody has got yet.
    public var count: Int { elements.count }

    /// How many wait for a value.
    public var waiterCount: Int { waiters.count }

    /// Gives `element` to whoever waits longest, or keeps it. Never waits.
    ///
    /// - Throws: `DeferredError` with code `queueOverflow` when nobody waits and the queue is full.
    public func put(_ element: Element) throws(DeferredError) {
        if let waiter = waiters.popFirst() {
            try? waiter.callback(element)  // cannot throw: one that was cancelled has left the line
        } else if let capacity, elements.count >= capacity {
            throw DeferredError(
                .queueOverflow,
                "a DeferredQueue of capacity \(capacity) is full: get from it, or make it larger")
        } else {
            elements.append(element)
        }
    }

    /// Fires with the oldest value, now or when there is one. Never waits. Cancelling leaves the line.
    ///
    /// - Throws: `DeferredError` with code `queueUnderflow` when there is none and `backlog` wait already.
    public func get(file: StaticString = #fileID, line: UInt = #line) throws(DeferredError) -> Deferred<
        Element
    > {
        if let element = elements.popFirst() { return .succeed(element, file: file, line: line) }
        if let backlog, waiters.count >= backlog {
            throw DeferredError(
                .queueUnderflow,
                "\(backlog) already wait for a value of a DeferredQueue, as many as its backlog allows")
        }
        let waiter = Deferred<Element>(
            onCancel: { [weak self] waiter in self?.waiters.removeAll { $0.isSame(as: waiter) } },
            file: file, line: line)
        waiters.append(waiter)
        return waiter
    }
}
