import DequeModule
import Synchronization

/// What foreign threads hand to the reactor: a locked queue that its loop empties once a turn.
///
/// `put` says whether the loop must be woken: only the first item since the last `take` does, so 100,000 calls
/// make one write to the eventfd, not 100,000.
final class Inbox: Sendable {
    enum Item {
        case job(UnownedJob)
        case call(@Sendable @ReactorActor () throws -> Void)
    }

    private let items = Mutex<[Item]>([])
    private let count = Atomic<Int>(0)

    /// Whether `take` would find something; no lock.
    var mayHaveItems: Bool { count.load(ordering: .acquiring) != 0 }

    /// Appends an item. Returns whether the loop has to be woken.
    func put(_ item: Item) -> Bool {
        items.withLock { items in
            items.append(item)
            count.store(items.count, ordering: .releasing)
            return items.count == 1
        }
    }

    /// Takes all items, oldest first.
    func take() -> [Item] {
        items.withLock { items in
            let taken = items
            items = []
            count.store(0, ordering: .releasing)
            return taken
        }
    }
}
