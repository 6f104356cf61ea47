/// Names one waiter of a ``PoolStateMachine``; never reused.
public struct PoolTicket: Hashable, Sendable, Comparable {
    /// Arrival number: a smaller one came earlier.
    public let sequence: UInt64
    @usableFromInline let index: Int

    @inlinable
    init(sequence: UInt64, index: Int) {
        self.sequence = sequence
        self.index = index
    }

    /// Orders by arrival.
    @inlinable
    public static func < (one: PoolTicket, other: PoolTicket) -> Bool { one.sequence < other.sequence }
}

/// First in, first out, with removal from anywhere in O(1).
///
/// A doubly linked list kept in one array: entries point at each other by index and vacant entries form a
/// free list, so that neither a cancelled waiter nor a long queue leaves anything behind.
@usableFromInline
struct WaitQueue<Waiter> {
    @usableFromInline
    struct Entry {
        @usableFromInline var waiter: Waiter?
        @usableFromInline var sequence: UInt64
        @usableFromInline var since: Duration
        @usableFromInline var previous: Int
        @usableFromInline var next: Int

        @inlinable
        init(waiter: Waiter?, sequence: UInt64, since: Duration, previous: Int, next: Int) {
            self.waiter = waiter
            self.sequence = sequence
            self.since = since
            self.previous = previous
            self.next = next
        }
    }

    @usableFromInline var entries: [Entry] = []
    @usableFromInline var head = -1
    @usableFromInline var tail = -1
    @usableFromInline var free = -1
    @usableFromInline var nextSequence: UInt64 = 1
    @usableFromInline var count = 0

    @inlinable init() {}

    @inlinable var isEmpty: Bool { count == 0 }

    /// When the waiter at the head arrived.
    @inlinable var headSince: Duration? { head < 0 ? nil : entries[head].since }

    @inlinable
    mutating func append(_ waiter: Waiter, since: Duration) -> PoolTicket {
        let index: Int
        if free >= 0 {
            index = free
            free = entries[index].next
        } else {
            index = entries.count
            entries.append(Entry(waiter: nil, sequence: 0, since: .zero, previous: -1, next: -1))
        }
        entries[index] = Entry(
            waiter: waiter, sequence: nextSequence, since: since, previous: tail, next: -1)
        if tail >= 0 { entries[tail].next = index } else { head = index }
        tail = index
        count += 1
        defer { nextSequence += 1 }
        return PoolTicket(sequence: nextSequence, index: index)
    }

    @inlinable
    mutating func popFirst() -> Waiter? {
        head < 0 ? nil : removeEntry(head)
    }

    /// Takes the waiter out; nil when it has left already.
    @inlinable
    mutating func remove(_ ticket: PoolTicket) -> Waiter? {
        guard ticket.index < entries.count, entries[ticket.index].waiter != nil,
            entries[ticket.index].sequence == ticket.sequence
        else { return nil }
        return removeEntry(ticket.index)
    }

    @inlinable
    mutating func removeAll() -> [Waiter] {
        var all: [Waiter] = []
        all.reserveCapacity(count)
        while let waiter = popFirst() { all.append(waiter) }
        return all
    }

    @inlinable
    mutating func removeEntry(_ index: Int) -> Waiter? {
        let entry = entries[index]
        if entry.previous >= 0 { entries[entry.previous].next = entry.next } else { head = entry.next }
        if entry.next >= 0 { entries[entry.next].previous = entry.previous } else { tail = entry.previous }
        entries[index].waiter = nil
        entries[index].next = free
        free = index
        count -= 1
        return entry.waiter
    }
}

extension WaitQueue: Sendable where Waiter: Sendable {}
extension WaitQueue.Entry: Sendable where Waiter: Sendable {}
