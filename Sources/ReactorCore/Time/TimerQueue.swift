import HeapModule

/// Pending delayed calls, earliest first; equal deadlines in the order they were made.
///
/// Cancelled calls stay in the heap until they come up or until they are more than half of it: cancel is
/// O(1), and the heap never holds more than twice what is pending.
@ReactorActor
struct TimerQueue {
    private struct Entry: Comparable {
        let deadline: ReactorInstant
        let sequence: UInt64
        let call: DelayedCall

        static func < (a: Entry, b: Entry) -> Bool {
            a.deadline == b.deadline ? a.sequence < b.sequence : a.deadline < b.deadline
        }
        static func == (a: Entry, b: Entry) -> Bool { a.sequence == b.sequence }
    }

    private var heap = Heap<Entry>()
    private var cancelledCount = 0
    private var nextSequence: UInt64 = 0

    nonisolated init() {}

    /// How many calls are still to come.
    var pendingCount: Int { heap.count - cancelledCount }

    /// When the earliest is due. Drops cancelled calls in front of it.
    var nextDeadline: ReactorInstant? {
        mutating get {
            while let first = heap.min, !first.call.isActive { dropMinimum() }
            return heap.min?.deadline
        }
    }

    /// Adds a call. O(log n).
    mutating func add(
        at deadline: ReactorInstant, on reactor: Reactor, _ action: @escaping @ReactorActor () throws -> Void
    ) -> DelayedCall {
        nextSequence += 1
        let call = DelayedCall(deadline: deadline, sequence: nextSequence, reactor: reactor, action: action)
        heap.insert(Entry(deadline: deadline, sequence: nextSequence, call: call))
        return call
    }

    /// One call in the heap was cancelled.
    mutating func noteCancellation() {
        cancelledCount += 1
        guard cancelledCount > 64, cancelledCount > heap.count / 2 else { return }
        heap = Heap(heap.unordered.filter { $0.call.isActive })
        cancelledCount = 0
    }

    private mutating func dropMinimum() {
        _ = heap.popMin()
        cancelledCount -= 1
    }

    /// The newest call so far; see `popDue`.
    var lastSequence: UInt64 { nextSequence }

    /// Takes the earliest call if it is due at `now` and was made no later than the call numbered `last`.
    mutating func popDue(at now: ReactorInstant, madeUpTo last: UInt64) -> DelayedCall? {
        guard let deadline = nextDeadline, deadline <= now, let entry = heap.min, entry.sequence <= last
        else {
            return nil
        }
        _ = heap.popMin()
        return entry.call
    }
}
