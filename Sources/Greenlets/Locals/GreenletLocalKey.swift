import ReactorCore
import Synchronization

/// What a `GreenletLocal`'s values are found by, and where they are, so that it can free them.
final class GreenletLocalKey: Sendable {
    private static let lastID = Atomic<UInt64>(0)

    /// Unique in the process: an address could come again.
    let id = GreenletLocalKey.lastID.add(1, ordering: .relaxed).newValue

    /// Weak: a greenlet's values go with it.
    private struct Place { weak var values: GreenletLocalValues? }
    /// Locked, for a static `GreenletLocal` is used by all reactors.
    private let places = Mutex<[ObjectIdentifier: Place]>([:])

    /// How many greenlets have a value.
    var placeCount: Int { places.withLock { $0.count } }

    func note(_ values: GreenletLocalValues) {
        places.withLock { $0[ObjectIdentifier(values)] = Place(values: values) }
    }

    func forget(_ values: GreenletLocalValues) {
        places.withLock { $0[ObjectIdentifier(values)] = nil }
    }

    /// Frees all values: at once those of the reactor whose thread this is, the others soon.
    func clear() {
        for place in places.withLock({ Array($0.values) }) {
            guard let values = place.values else { continue }
            let id = id
            if values.reactor.isOnReactorThread {
                ReactorActor.assumeIsolated { values.remove(id) }
            } else {
                values.reactor.callFromThread { values.remove(id) }
            }
        }
    }
}
