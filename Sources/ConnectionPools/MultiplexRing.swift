/// First in, first out, by position; empties its storage only when that costs nothing.
@usableFromInline
struct MultiplexRing<Element> {
    @usableFromInline var storage: [Element?] = Array(repeating: nil, count: 8)
    @usableFromInline var head = 0
    @usableFromInline var count = 0

    @inlinable init() {}

    @inlinable var isEmpty: Bool { count == 0 }

    @inlinable
    mutating func append(_ element: Element) {
        if count == storage.count { grow() }
        // The capacity is a power of two.
        storage[(head + count) & (storage.count - 1)] = element
        count += 1
    }

    @inlinable
    mutating func popFirst() -> Element {
        guard count > 0, let first = storage[head].take() else {
            preconditionFailure("an answer came to a line that had nothing outstanding")
        }
        head = (head + 1) & (storage.count - 1)
        count -= 1
        return first
    }

    @inlinable
    func firstIndex(where isWanted: (Element) -> Bool) -> Int? {
        for position in 0..<count where isWanted(self[position]) { return position }
        return nil
    }

    /// The element `position` places behind the oldest.
    @inlinable
    subscript(position: Int) -> Element {
        get { storage[(head + position) & (storage.count - 1)]! }  // inside `count` every place is taken
        set { storage[(head + position) & (storage.count - 1)] = newValue }
    }

    @inlinable
    mutating func removeAll() -> [Element] {
        var all: [Element] = []
        while count > 0 { all.append(popFirst()) }
        return all
    }

    @inlinable
    mutating func grow() {
        var larger: [Element?] = Array(repeating: nil, count: storage.count * 2)
        for position in 0..<count { larger[position] = self[position] }
        storage = larger
        head = 0
    }
}

extension MultiplexRing: Sendable where Element: Sendable {}

extension WaitQueue {
    /// Puts a waiter before all others, as if it had come at `since`.
    @inlinable
    mutating func prepend(_ waiter: Waiter, since: Duration) -> PoolTicket {
        let ticket = append(waiter, since: since)
        guard count > 1 else { return ticket }
        let index = tail
        tail = entries[index].previous
        entries[tail].next = -1
        entries[index].previous = -1
        entries[index].next = head
        entries[head].previous = index
        head = index
        return ticket
    }
}
