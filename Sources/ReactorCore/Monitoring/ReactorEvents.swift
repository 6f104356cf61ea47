import DequeModule
import Synchronization

/// A reactor's events as they come: what `reactor.events` returns.
///
/// ```swift
/// for try await event in reactor.events {
///     if case .loopBlocked(let report) = event { alarm(report) }
/// }
/// ```
/// Subscribed from its creation until it is released. Events that nobody has asked for yet are kept, the last
/// thousand of them. A block can be told of here only when it is over; to hear of it while it lasts, use
/// `ReactorMonitor.onEvent`. Iterated by one task at a time.
@ReactorActor
public final class ReactorEvents: AsyncSequence {
    /// An event.
    public typealias Element = ReactorEvent

    private let reactor: Reactor
    private var received: Deque<ReactorEvent> = []
    private var waiter: Waiter<Void>?
    private static let limit = 1000

    fileprivate init(_ reactor: Reactor) {
        self.reactor = reactor
        reactor.monitor.state.withLock { $0.hasSubscribers = true }
        reactor.eventSubscribers.append(Subscriber(events: self))
    }

    /// A place in the reactor's list.
    struct Subscriber { weak var events: ReactorEvents? }

    fileprivate func receive(_ event: ReactorEvent) {
        if received.count == Self.limit { received.removeFirst() }
        received.append(event)
        waiter?.resume(returning: ())
    }

    private func next() async throws -> ReactorEvent {
        if received.isEmpty {
            precondition(
                waiter?.isPending != true, "the events of a reactor are iterated by two tasks at once")
            let waiter = Waiter<Void>(on: reactor)
            self.waiter = waiter
            defer { self.waiter = nil }
            try await waiter.wait()
        }
        return received.removeFirst()
    }

    /// An iterator; all iterators of one sequence share its events.
    public nonisolated func makeAsyncIterator() -> Iterator { Iterator(events: self) }

    /// Iterates the events of a reactor.
    public struct Iterator: AsyncIteratorProtocol {
        let events: ReactorEvents

        /// Parks the calling task until there is an event. Never nil.
        ///
        /// - Throws: `CancellationError` when the task is cancelled.
        @ReactorActor public mutating func next() async throws -> ReactorEvent? { try await events.next() }
    }
}

extension Reactor {
    /// Subscribes to what happens to this reactor: blocks of its loop, and the process's memory. Reactor only.
    @ReactorActor public var events: ReactorEvents { ReactorEvents(self) }

    @ReactorActor func publish(_ event: ReactorEvent) {
        eventSubscribers.removeAll { $0.events == nil }
        for subscriber in eventSubscribers { subscriber.events?.receive(event) }
    }
}
