public import ReactorCore

/// A queue that greenlets put elements into and get them from, first come, first served. gevent's Queue and
/// JoinableQueue.
///
/// ```swift
/// let pages = Queue<Page>(capacity: 100)
/// Greenlet.spawn { while let page = try fetchNext() { try pages.put(page) }; pages.close() }
/// for try await page in pages { index(page) }
/// ```
/// An element goes to exactly one getter. A getter or putter that is cancelled, killed or out of time before its turn
/// takes or leaves nothing; one whose turn came before has had it, be it killed the next moment.
public typealias Queue<Element: Sendable> = WaitingQueue<FIFOStorage<Element>>

/// A `Queue` of which the latest element leaves first. gevent's LifoQueue.
public typealias LIFOQueue<Element: Sendable> = WaitingQueue<LIFOStorage<Element>>

/// A `Queue` of which the smallest element leaves first, and of equal ones the first. gevent's PriorityQueue.
public typealias PriorityQueue<Element: Comparable & Sendable> = WaitingQueue<PriorityStorage<Element>>

/// What `Queue`, `LIFOQueue` and `PriorityQueue` are: see there. Reactor only, but for `putFromThread(_:)`.
@ReactorActor
public final class WaitingQueue<Storage: QueueStorage>: AsyncSequence {
    /// What it carries.
    public typealias Element = Storage.Element

    @usableFromInline @exclusivity(unchecked) var storage = Storage()
    /// Who waits for an element: empty unless there is none.
    @usableFromInline let getters = ParkingLine()
    /// Who waits to see an element: as above.
    @usableFromInline let peekers = ParkingLine()
    /// Who waits for room: empty unless there is none.
    @usableFromInline let putters = ParkingLine()
    /// Who waits for all elements to have been dealt with.
    let joiners = ParkingLine()
    @usableFromInline let reactor = Reactor.current

    /// How many elements it has room for; nil for any number.
    public let capacity: Int?
    @usableFromInline let room: Int
    /// Whether `close(discarding:)` has been called.
    public var isClosed: Bool { hasClosed }
    // Apart, for in code that is inlined elsewhere the attribute counts for nothing.
    @exclusivity(unchecked) var hasClosed = false
    /// How many of the elements that were put have not been reported as done by `taskDone()`.
    public var unfinishedCount: Int { unfinished }
    @usableFromInline @exclusivity(unchecked) var unfinished = 0

    /// Makes a queue for greenlets of the current reactor.
    ///
    /// - Parameter capacity: how many elements it holds before `put` waits; nil, the default, for any number.
    /// - Precondition: `capacity` is at least one; a queue without room is a `Channel`.
    public init(capacity: Int? = nil) {
        if let capacity {
            precondition(
                capacity > 0,
                "\(Storage.kind) with capacity \(capacity): at least one is needed; for none take a Channel")
        }
        self.capacity = capacity
        room = capacity ?? .max
    }

    /// How many elements are in it.
    @inlinable public var count: Int { storage.count }
    /// Whether there is none in it.
    @inlinable public var isEmpty: Bool { storage.count == 0 }
    /// Whether `put` would wait.
    @inlinable public var isFull: Bool { storage.count >= room }
    /// How many wait for an element, `peek` included.
    public var getterCount: Int { getters.count + peekers.count }
    /// How many wait for room.
    public var putterCount: Int { putters.count }

    /// A queue with the same elements and the same capacity; who waits stays with this one. The copy is open, and all its elements
    /// are to be done. Never waits.
    public func copy() -> WaitingQueue {
        let copy = WaitingQueue(capacity: capacity)
        copy.storage = storage
        copy.unfinished = storage.count
        return copy
    }

    // MARK: The two ends

    /// Gives an element to who waits for one, or keeps it.
    @inlinable func accept(_ element: Element) {
        unfinished += 1
        if !peekers.isEmpty { show(element) }
        if let place = getters.first {
            // Put into the line by beginToGet().
            unsafeDowncast(place, to: Waiter<Element>.self).value = element
            place.open()
        } else {
            storage.add(element)
        }
    }

    @usableFromInline func show(_ element: Element) {
        while let place = peekers.first {
            // Put into the line by beginToPeek().
            unsafeDowncast(place, to: Waiter<Element>.self).value = element
            place.open()
        }
    }

    /// Takes the first element, and lets who waits for room put another.
    @inlinable func take() -> Element? {
        guard let element = storage.takeFirst() else { return nil }
        if !putters.isEmpty { admit() }
        return element
    }

    @usableFromInline func admit() {
        while storage.count < room, let place = putters.first {
            // Put into the line by beginToPut(_:).
            let putter = unsafeDowncast(place, to: Waiter<Element>.self)
            place.open()
            accept(putter.take()!)  // set as it was put into the line
        }
    }

    /// Puts `element` in, or returns the place in the line where the putter has to wait.
    @inlinable func beginToPut(_ element: Element) throws -> Waiter<Element>? {
        if isClosed { throw closedError }
        if storage.count < room {
            accept(element)
            return nil
        }
        let place = Waiter<Element>(on: reactor, for: .subject(self))
        place.value = element
        putters.append(place)
        return place
    }

    /// The place in the line where a getter has to wait.
    @inlinable func beginToGet() throws -> Waiter<Element> {
        if isClosed { throw closedError }
        let place = Waiter<Element>(on: reactor, for: .subject(self))
        getters.append(place)
        return place
    }

    func beginToPeek() throws -> Waiter<Element> {
        if isClosed { throw closedError }
        let place = Waiter<Element>(on: reactor, for: .subject(self))
        peekers.append(place)
        return place
    }

    @usableFromInline var closedError: GreenletError {
        GreenletError(.closed, "the \(Storage.kind) is closed")
    }
}

extension WaitingQueue: WaitSubject {
    /// `a queue of Int with 3 of 10 elements`.
    public nonisolated var waitDescription: String {
        // Called on the reactor, as the protocol says.
        ReactorActor.assumeIsolated {
            "a \(Storage.kind) of \(Element.self) with \(count)" + (capacity.map { " of \($0)" } ?? "")
                + " elements"
        }
    }
}
