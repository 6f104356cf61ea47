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
        /// Who waits, to be noted with the connection.
        @usableFromInline var holder = PoolHolder()
        /// Whether it holds a connection already.
        @usableFromInline var isHolding = false
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

    /// Lets a waiter stand at the end, or at the head when it is `ahead` of all.
    @inlinable
    mutating func append(
        _ waiter: Waiter, since: Duration, holder: PoolHolder = PoolHolder(), isHolding: Bool = false,
        ahead: Bool = false
    ) -> PoolTicket {
        let index: Int
        if free >= 0 {
            index = free
            free = entries[index].next
        } else {
            index = entries.count
            entries.append(Entry(waiter: nil, sequence: 0, since: .zero, previous: -1, next: -1))
        }
        entries[index] = Entry(
            waiter: waiter, sequence: nextSequence, since: since, previous: ahead ? -1 : tail,
            next: ahead ? head : -1)
        entries[index].holder = holder
        entries[index].isHolding = isHolding
        if ahead {
            if head >= 0 { entries[head].previous = index } else { tail = index }
            head = index
        } else {
            if tail >= 0 { entries[tail].next = index } else { head = index }
            tail = index
        }
        count += 1
        defer { nextSequence += 1 }
        return PoolTicket(sequence: nextSequence, index: index)
    }

    @inlinable
    mutating func popFirst() -> Entry? {
        head < 0 ? nil : removeEntry(head)
    }

    /// Takes out the last of those that held a connection as they came, and of whom `condition` is true.
    @inlinable
    mutating func removeLastHolding(where condition: (PoolHolder) -> Bool) -> Entry? {
        var index = tail
        while index >= 0, !entries[index].isHolding || !condition(entries[index].holder) {
            index = entries[index].previous
        }
        return index < 0 ? nil : removeEntry(index)
    }

    /// Takes the waiter out; nil when it has left already.
    @inlinable
    mutating func remove(_ ticket: PoolTicket) -> Entry? {
        guard ticket.index < entries.count, entries[ticket.index].waiter != nil,
            entries[ticket.index].sequence == ticket.sequence
        else { return nil }
        return removeEntry(ticket.index)
    }

    @inlinable
    mutating func removeAll() -> [Waiter] {
        var all: [Waiter] = []
        all.reserveCapacity(count)
        while let waiter = popFirst()?.waiter { all.append(waiter) }
        return all
    }

    @inlinable
    mutating func removeEntry(_ index: Int) -> Entry {
        let entry = entries[index]
        if entry.previous >= 0 { entries[entry.previous].next = entry.next } else { head = entry.next }
        if entry.next >= 0 { entries[entry.next].previous = entry.previous } else { tail = entry.previous }
        entries[index].waiter = nil
        entries[index].holder = PoolHolder()
        entries[index].next = free
        free = index
        count -= 1
        return entry
    }
}

extension WaitQueue: Sendable where Waiter: Sendable {}
extension WaitQueue.Entry: Sendable where Waiter: Sendable {}
