public import ReactorCore

/// A meeting point of greenlets: `send` parks until somebody receives, `receive` until somebody sends. gevent's Channel,
/// Go's unbuffered channel.
///
/// ```swift
/// let lines = Channel<String>()
/// Greenlet.spawn { for try await line in lines { print(line) } }
/// try await lines.send("hello")
/// lines.close()
/// ```
/// Senders and receivers are served first come, first served. An element goes to exactly one receiver, or stays with its
/// sender, whose wait then ends with an error. Both calls have a synchronous form for greenlets with a synchronous body.
/// Reactor only.
@ReactorActor
public final class Channel<Element: Sendable>: AsyncSequence {
    /// One of the two lines is empty.
    @usableFromInline let senders = ParkingLine()
    @usableFromInline let receivers = ParkingLine()
    /// Whether `close()` has been called.
    public var isClosed: Bool { hasClosed }
    // Apart, for in code that is inlined elsewhere the attribute counts for nothing.
    @exclusivity(unchecked) private var hasClosed = false
    @usableFromInline let reactor: Reactor

    /// Makes a channel for greenlets of the current reactor.
    public init() { reactor = .current }

    /// How many wait to send.
    public var senderCount: Int { senders.count }
    /// How many wait to receive.
    public var receiverCount: Int { receivers.count }

    /// Hands `element` to a receiver; parks the calling task until there is one.
    ///
    /// - Throws: `GreenletError` with code `closed` when the channel is closed, now or meanwhile; `CancellationError` when
    ///   the task is cancelled. Nobody has received the element then.
    @inlinable public func send(_ element: Element) async throws {
        if let place = try beginToSend(element) { try await place.waitUntilOpen() }
    }

    /// Hands `element` over, or returns the place in the line where the sender has to wait.
    @inlinable func beginToSend(_ element: Element) throws -> Waiter<Element>? {
        if isClosed { throw closedError }
        if handToReceiver(element) { return nil }
        let place = Waiter<Element>(on: reactor, for: .subject(self))
        place.value = element
        senders.append(place)
        return place
    }

    /// Hands `element` to a receiver if one waits. Whether one did. Never waits.
    ///
    /// - Throws: `GreenletError` with code `closed`.
    @inlinable public func trySend(_ element: Element) throws -> Bool {
        if isClosed { throw closedError }
        return handToReceiver(element)
    }

    /// Takes an element from a sender; parks the calling task until there is one.
    ///
    /// - Throws: `GreenletError` with code `closed` when the channel is closed, now or meanwhile; `CancellationError` when
    ///   the task is cancelled. It has taken no element then.
    @inlinable public func receive() async throws -> Element {
        if let element = takeFromSender() { return element }
        let place = try beginToReceive()
        try await place.waitUntilOpen()
        return place.take()!  // set before the place is opened
    }

    /// The place in the line where a receiver has to wait.
    @inlinable func beginToReceive() throws -> Waiter<Element> {
        if isClosed { throw closedError }
        let place = Waiter<Element>(on: reactor, for: .subject(self))
        receivers.append(place)
        return place
    }

    /// Takes an element if a sender waits. Never waits.
    @inlinable public func tryReceive() -> Element? { takeFromSender() }

    @inlinable func handToReceiver(_ element: Element) -> Bool {
        guard let place = receivers.first else { return false }
        // Put into the line by receive().
        unsafeDowncast(place, to: Waiter<Element>.self).value = element
        return place.open()
    }

    @inlinable func takeFromSender() -> Element? {
        guard let place = senders.first else { return nil }
        place.open()
        // Put into the line by send(_:).
        return unsafeDowncast(place, to: Waiter<Element>.self).take()
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @inlinable public nonisolated func send(_ element: Element) throws {
        try Greenlet.inGreenlet {
            if let place = try beginToSend(element) { try Greenlet.wait(for: place) }
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @inlinable public nonisolated func receive() throws -> Element {
        try Greenlet.inGreenlet {
            if let element = takeFromSender() { return element }
            let place = try beginToReceive()
            try Greenlet.wait(for: place)
            return place.take()!  // set before the place is opened
        }
    }

    /// Ends the channel: who waits, to send or to receive, gets `GreenletError` with code `closed`, and iterations end.
    /// Never waits. Closing twice does nothing.
    public func close() {
        hasClosed = true
        senders.fail(with: closedError)
        receivers.fail(with: closedError)
    }

    @usableFromInline var closedError: GreenletError { GreenletError(.closed, "the channel is closed") }

    /// An iterator; iterators of one channel share its elements.
    public nonisolated func makeAsyncIterator() -> Iterator { Iterator(channel: self) }

    /// Receives until the channel is closed.
    public struct Iterator: AsyncIteratorProtocol {
        let channel: Channel

        /// The next element; nil once the channel is closed.
        ///
        /// - Throws: `CancellationError` when the task is cancelled.
        @ReactorActor public mutating func next() async throws -> Element? {
            do { return try await channel.receive() } catch let error as GreenletError
                where error.code == .closed
            {
                return nil
            }
        }
    }
}

extension Channel: WaitSubject {
    /// `a channel`.
    public nonisolated var waitDescription: String { "a channel of \(Element.self)" }
}
