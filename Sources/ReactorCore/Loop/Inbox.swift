import Synchronization

/// What foreign threads hand to the reactor: a list that its loop empties once a turn, without a lock.
///
/// `put` says whether the loop must be woken: only the first item since the last `take` does, so 100,000
/// calls make one write to the eventfd, not 100,000. Threads that put at once do not queue for each other:
/// under a mutex, eight of them spent some 50 µs a call in handing it over.
///
/// The list is a stack, newest first, and `take` takes it whole; so a node never comes back while a `put`
/// looks at it, and comparing addresses is enough.
final class Inbox: @unchecked Sendable {  // one atomic word, by which nodes change hands
    enum Item {
        case job(UnownedJob)
        case call(QueuedCall, CallSite)
        /// A call that waits until the reactor runs.
        case startCall(QueuedCall, CallSite)
    }

    final class Node {
        let item: Item
        fileprivate var next: UnsafeMutableRawPointer?
        init(_ item: Item) { self.item = item }
    }

    /// The newest node; the list owns one reference to each.
    private let newest = Atomic<UnsafeMutableRawPointer?>(nil)

    /// Whether `take` would find something.
    var mayHaveItems: Bool { newest.load(ordering: .acquiring) != nil }

    deinit { take { _ in } }

    /// Puts an item behind all others. Returns whether the loop has to be woken.
    func put(_ item: Item) -> Bool {
        let node = Node(item)
        // take() takes the reference over. Until the exchange below has succeeded the node is ours alone.
        let pointer = Unmanaged.passRetained(node).toOpaque()
        var next = newest.load(ordering: .relaxed)
        while true {
            node.next = next
            let (exchanged, original) = newest.weakCompareExchange(
                expected: next, desired: pointer, successOrdering: .releasing, failureOrdering: .relaxed)
            if exchanged { return next == nil }
            next = original
        }
    }

    /// Drops all items without freeing them.
    func abandon() { newest.store(nil, ordering: .relaxed) }

    /// Takes all items, oldest first.
    func take(_ body: (Node) -> Void) {
        var reversed: UnsafeMutableRawPointer?
        var pointer = newest.exchange(nil, ordering: .acquiring)
        while let current = pointer {
            let node = Unmanaged<Node>.fromOpaque(current)  // the list's own reference
            pointer = node._withUnsafeGuaranteedRef { node in
                let next = node.next
                node.next = reversed
                return next
            }
            reversed = current
        }
        while let current = reversed {
            let node = Unmanaged<Node>.fromOpaque(current).takeRetainedValue()  // retained in put(_:)
            reversed = node.next
            body(node)
        }
    }
}
