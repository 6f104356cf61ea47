/// Names one waiter of a ``PoolStateMachine``; never reused.
public struct PoolTicket: Hashable, Sendable, Comparable {
    /// Arrival number: a smaller one came earlier.
    public let sequence: UInt64
    let index: Int

    /// Orders by arrival.
    public static func < (one: PoolTicket, other: PoolTicket) -> Bool { one.sequence < other.sequence }
}

/// First in, first out, with removal from anywhere in O(1).
///
/// A doubly linked list kept in one array: entries point at each other by index and vacant entries form a
/// free list, so that neither a cancelled waiter nor a long queue leaves anything behind.
struct WaitQueue<Waiter> {
    struct Entry {
        var waiter: Waiter?
        var sequence: UInt64
        var since: Duration
        var previous: Int
        var next: Int
    }

    private var entries: [Entry] = []
    private var head = -1
    private var tail = -1
    private var free = -1
    private var nextSequence: UInt64 = 1
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// When the waiter at the head arrived.
    var headSince: Duration? { head < 0 ? nil : entries[head].since }

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

    mutating func popFirst() -> Waiter? {
        head < 0 ? nil : removeEntry(head)
    }

    /// Takes the waiter out; nil when it has left already.
    mutating func remove(_ ticket: PoolTicket) -> Waiter? {
        guard ticket.index < entries.count, entries[ticket.index].waiter != nil,
            entries[ticket.index].sequence == ticket.sequence
        else { return nil }
        return removeEntry(ticket.index)
    }

    mutating func removeAll() -> [Waiter] {
        var all: [Waiter] = []
        all.reserveCapacity(count)
        while let waiter = popFirst() { all.append(waiter) }
        return all
    }

    private mutating func removeEntry(_ index: Int) -> Waiter? {
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
