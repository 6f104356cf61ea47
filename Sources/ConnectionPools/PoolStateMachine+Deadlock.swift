// A deadlock of the pool with itself: each of those who hold a connection asks for one more, and none is left. It is claimed
// only when it is certain. A holder is a task of a greenlet, and counts as blocked while that same task stands in the queue:
// until it leaves it, its connection cannot come back. One holder that is not known, or does anything else, and there is no
// claim; nor while a connection is being opened or closed, for a place may come of it.

extension PoolStateMachine {
    /// Notes that the holder waits, or no longer does. Whether it holds a connection.
    @inlinable
    mutating func note(_ holder: PoolHolder, waits: Bool) -> Bool {
        guard holder.isKnown, _counts.borrowed > 0 else { return false }
        var isHolding = false
        for index in places.indices
        where places[index].phase == .borrowed && places[index].holder.isSame(as: holder) {
            isHolding = true
            guard places[index].isHolderWaiting != waits else { continue }
            places[index].isHolderWaiting = waits
            blockedCount += waits ? 1 : -1
        }
        return isHolding
    }

    /// Whether the holder has a connection.
    ///
    /// - Complexity: O(maximum).
    @inlinable
    public func isHolding(_ holder: PoolHolder) -> Bool {
        places.contains { $0.phase == .borrowed && $0.holder.isSame(as: holder) }
    }

    /// A waiter has left the queue.
    @inlinable
    mutating func noteLeft(_ entry: WaitQueue<Waiter>.Entry) {
        _counts.waiting = waiters.count
        if entry.isHolding { _ = note(entry.holder, waits: false) }
    }

    @inlinable
    mutating func unblock(_ index: Int) {
        places[index].isHolderWaiting = false
        blockedCount -= 1
    }

    /// Refuses the last in the queue that holds one, when everyone who could give a connection back waits for one.
    ///
    /// - Returns: its number of arrival.
    @inlinable @discardableResult
    mutating func noticeDeadlock(_ actions: inout Actions) -> UInt64? {
        guard blockedCount > 0, blockedCount == _counts.borrowed, _counts.total == _counts.borrowed,
            _counts.total >= _limits.maximum
        else { return nil }
        // Somebody else may have given back meanwhile what a waiter held as it came.
        let places = places
        let last = waiters.removeLastHolding { holder in
            places.contains { $0.phase == .borrowed && $0.holder.isSame(as: holder) }
        }
        guard let last, let waiter = last.waiter else { return nil }
        noteLeft(last)
        actions.refusals.append((waiter, .deadlock))
        return last.sequence
    }
}
