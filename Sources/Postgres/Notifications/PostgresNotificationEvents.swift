import DequeModule
import Greenlets
public import ReactorCore

/// Messages of NOTIFY as they come.
///
/// ```swift
/// for try await event in try await pool.listen("orders") {
///     switch event {
///     case .notification(let message): await ship(message.payload)
///     case .reconnected, .dropped: await lookAtTheTable()
///     }
/// }
/// ```
/// Events wait in a buffer of its own until they are asked for. When that is full the oldest is dropped for each that
/// comes, and the consumer is told by `.dropped` with the number before it gets the others. It is left when the loop ends,
/// the task is cancelled in it, or the last reference is dropped; then the server is told, if nobody else wants the channel.
@ReactorActor
public final class PostgresNotificationEvents: AsyncSequence {
    private let limit: Int
    private let reactor = Reactor.current
    private var events = Deque<PostgresNotificationEvent>()
    private var dropped = 0
    private var ending: Result<Void, PostgresError>?
    private var waiter: Waiter<Void>?
    /// Tells whoever fills the buffer that nobody reads it any more.
    private var onLeave: (@ReactorActor () -> Void)?

    init(limit: Int) { self.limit = Swift.max(1, limit) }

    deinit {
        guard let onLeave else { return }
        if reactor.isOnReactorThread {
            ReactorActor.assumeIsolated { onLeave() }
        } else {
            reactor.callFromThread { onLeave() }
        }
    }

    // MARK: Filling

    func start(onLeave: @escaping @ReactorActor () -> Void) { self.onLeave = onLeave }

    func push(_ event: PostgresNotificationEvent) {
        guard ending == nil else { return }
        if events.count >= limit {
            events.removeFirst()
            dropped += 1
        }
        events.append(event)
        waiter?.resume(returning: ())
    }

    /// Nothing follows; what is in the buffer is still read. The first reason counts.
    func end(throwing error: PostgresError?) {
        guard ending == nil else { return }
        ending = error.map { .failure($0) } ?? .success(())
        onLeave = nil
        waiter?.resume(returning: ())
    }

    /// Forgets what is in the buffer.
    func discard() {
        events.removeAll()
        dropped = 0
    }

    // MARK: Reading

    /// The next event; nil when the connection was closed, or its pool. Parks the calling task until there is one. One
    /// task at a time.
    ///
    /// - Throws: `PostgresError`: `connectionLost` where nobody reconnects, `connectFailed` when trying again cannot help,
    ///   `connectionBusy` when another task waits here; `CancellationError`, and the channel is left.
    public func next() async throws -> PostgresNotificationEvent? {
        while true {
            if dropped > 0 {
                defer { dropped = 0 }
                return .dropped(dropped)
            }
            if let event = events.popFirst() { return event }
            if let ending {
                self.ending = .success(())
                try ending.get()
                return nil
            }
            guard waiter == nil else {
                throw PostgresError(
                    .connectionBusy, "two tasks wait for the same notifications; let each listen for itself")
            }
            let waiter = Waiter<Void>(on: reactor)
            self.waiter = waiter
            defer { self.waiter = nil }
            do { try await waiter.wait() } catch {
                close()
                throw error
            }
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func next() throws -> PostgresNotificationEvent? {
        try Greenlet.blockingCall { try await self.next() }
    }

    /// Leaves now; what is in the buffer is still read. Never waits. Closing twice does nothing.
    public func close() {
        let leave = onLeave
        end(throwing: nil)
        leave?()
    }

    /// An iterator; iterators of one sequence share its events.
    public nonisolated func makeAsyncIterator() -> Iterator { Iterator(events: self) }

    /// Takes the events one by one.
    public struct Iterator: AsyncIteratorProtocol {
        let events: PostgresNotificationEvents

        /// See `PostgresNotificationEvents.next()`.
        @ReactorActor public mutating func next() async throws -> PostgresNotificationEvent? {
            try await events.next()
        }
    }
}
