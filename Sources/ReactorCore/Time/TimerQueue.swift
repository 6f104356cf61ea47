import Glibc

/// Pending delayed calls, earliest first; equal deadlines in the order they were made or moved.
///
/// One array: a heap of four children a node, and behind it the calls made since somebody last asked for the
/// earliest. Most calls are cancelled, many before the loop's next look at its timers, and those never enter
/// the heap. Each call knows its place, so a cancelled one leaves at once and nothing is kept for what will
/// not happen. An entry is sixteen bytes, four children one cache line: the deadline is compared where it
/// lies, without a look at the call.
///
/// It lies at an address of its own, which every call of it keeps: to go by a reference would cost two atomic
/// operations for each cancellation. For the same reason nothing here is isolated: reactor code is its only
/// user.
struct TimerQueue {
    private struct Entry {
        var deadline: ReactorInstant
        /// The queue owns one reference.
        var call: Unmanaged<DelayedCall>
    }

    let clock: any ReactorClock
    private var entries: UnsafeMutablePointer<Entry>
    private var capacity = 64
    /// How many calls are still to come.
    private(set) var count = 0
    /// How many of them, from the front, are a heap.
    private var heapCount = 0
    /// The newest call so far; see `popDue`.
    private(set) var lastSequence: UInt64 = 0

    private init(clock: any ReactorClock) {
        self.clock = clock
        entries = Self.allocate(nil, capacity: capacity)
    }

    /// Makes a queue. It stays where it is until `destroy`.
    static func make(clock: any ReactorClock) -> UnsafeMutablePointer<TimerQueue> {
        let queue = UnsafeMutablePointer<TimerQueue>.allocate(capacity: 1)
        queue.initialize(to: TimerQueue(clock: clock))
        return queue
    }

    /// Ends a queue. Any thread, when nobody runs the reactor any more, so that nobody uses its calls.
    static func destroy(_ queue: UnsafeMutablePointer<TimerQueue>) {
        // Calls may outlive the queue in somebody's variable, and must not look for it then. What one of them
        // held may cancel others as it ends: the queue stays whole.
        while queue.pointee.count > 0 {
            let call = queue.pointee.removeLast().takeRetainedValue()  // retained in add
            call.finish(as: DelayedCall.cancelled)
        }
        free(queue.pointee.entries)
        queue.deinitialize(count: 1)
        queue.deallocate()
    }

    /// When the earliest is due.
    var nextDeadline: ReactorInstant? {
        mutating get {
            guard count > 0 else { return nil }
            order()
            return entries[0].deadline
        }
    }

    /// The calls in the order in which they will be made. O(n log n).
    var calls: [DelayedCall] {
        (0..<count).map { entries[$0] }.sorted { Self.isEarlier($0, $1) }
            .map { $0.call.takeUnretainedValue() }
    }

    /// The number of a call made or moved now.
    mutating func nextSequence() -> UInt64 {
        lastSequence += 1
        return lastSequence
    }

    /// Adds a call. O(1); O(log n) comes later, if the call is still there then.
    mutating func add(_ call: DelayedCall) {
        if count == capacity { resize(to: capacity * 2) }
        // Given up in destroy, remove or popDue.
        put(Entry(deadline: call.due, call: .passRetained(call)), at: count)
        count += 1
    }

    /// Takes a call out that is in. O(1) for a new one, else O(log n).
    mutating func remove(_ call: DelayedCall) {
        remove(at: Int(call.position))
        Unmanaged.passUnretained(call).release()  // the queue's own reference; the caller holds another
    }

    /// Gives a call that is in another deadline, behind those that have it already. O(log n).
    mutating func move(_ call: DelayedCall, to deadline: ReactorInstant) {
        call.due = deadline
        call.sequence = nextSequence()
        let index = Int(call.position)
        entries[index].deadline = deadline
        if index < heapCount { settle(entries[index], at: index) }
    }

    /// Takes the earliest call if it is due at `now` and was made or moved no later than the one numbered
    /// `last`.
    mutating func popDue(at now: ReactorInstant, madeUpTo last: UInt64) -> DelayedCall? {
        guard count > 0 else { return nil }
        order()
        guard entries[0].deadline <= now else { return nil }
        let call = entries[0].call
        guard call._withUnsafeGuaranteedRef({ $0.sequence }) <= last else { return nil }
        remove(at: 0)
        return call.takeRetainedValue()  // retained in add
    }

    /// Drops all calls without making or freeing them.
    mutating func abandon() {
        for index in 0..<count {
            entries[index].call._withUnsafeGuaranteedRef { $0.position = DelayedCall.cancelled }
        }
        (count, heapCount) = (0, 0)
    }

    // MARK: The array

    private mutating func remove(at index: Int) {
        var hole = index
        if index < heapCount {
            heapCount -= 1
            hole = heapCount
            if index < hole { settle(entries[hole], at: index) }
        }
        count -= 1
        if hole < count { put(entries[count], at: hole) }
        if count < capacity / 4, capacity > 64 { resize(to: capacity / 2) }
    }

    private mutating func removeLast() -> Unmanaged<DelayedCall> {
        count -= 1
        heapCount = min(heapCount, count)
        return entries[count].call
    }

    @inline(__always) private func put(_ entry: Entry, at index: Int) {
        entries[index] = entry
        entry.call._withUnsafeGuaranteedRef { $0.position = Int32(truncatingIfNeeded: index) }
    }

    @inline(never) private mutating func resize(to size: Int) {
        precondition(size <= Int32.max, "more than \(Int32.max) delayed calls are pending")
        entries = Self.allocate(entries, capacity: size)
        capacity = size
    }

    /// With realloc, which moves pages of a large array instead of copying them.
    private static func allocate(
        _ old: UnsafeMutablePointer<Entry>?, capacity: Int
    ) -> UnsafeMutablePointer<Entry> {
        // Entries are plain words: an integer and an unmanaged pointer.
        guard let memory = realloc(old, capacity * MemoryLayout<Entry>.stride) else {
            preconditionFailure("no memory for \(capacity) delayed calls")
        }
        return memory.assumingMemoryBound(to: Entry.self)
    }

    // MARK: The heap

    private static func isEarlier(_ a: Entry, _ b: Entry) -> Bool {
        if a.deadline != b.deadline { return a.deadline < b.deadline }
        let sequence = a.call._withUnsafeGuaranteedRef { $0.sequence }
        return sequence < b.call._withUnsafeGuaranteedRef { $0.sequence }
    }

    /// Takes the new calls into the heap.
    private mutating func order() {
        while heapCount < count {
            heapCount += 1
            siftUp(entries[heapCount - 1], from: heapCount - 1)
        }
    }

    /// Puts an entry where it belongs, beginning with a free place in the middle.
    private func settle(_ entry: Entry, at index: Int) {
        if index > 0, Self.isEarlier(entry, entries[(index - 1) / 4]) {
            siftUp(entry, from: index)
        } else {
            siftDown(entry, from: index)
        }
    }

    private func siftUp(_ entry: Entry, from index: Int) {
        var hole = index
        while hole > 0 {
            let parent = (hole - 1) / 4
            guard Self.isEarlier(entry, entries[parent]) else { break }
            put(entries[parent], at: hole)
            hole = parent
        }
        put(entry, at: hole)
    }

    private func siftDown(_ entry: Entry, from index: Int) {
        var hole = index
        while true {
            let first = 4 * hole + 1
            guard first < heapCount else { break }
            var least = first
            var child = first + 1
            while child < min(first + 4, heapCount) {
                if Self.isEarlier(entries[child], entries[least]) { least = child }
                child += 1
            }
            guard Self.isEarlier(entries[least], entry) else { break }
            put(entries[least], at: hole)
            hole = least
        }
        put(entry, at: hole)
    }
}
