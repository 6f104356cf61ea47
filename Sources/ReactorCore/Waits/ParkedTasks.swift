/// Every task of a reactor that is parked on a latch, in the order in which they parked: what dumps and the search for
/// deadlocks go through. A list through the latches, so that to park costs a few stores.
///
/// Touched by reactor code and, for latches dropped late, by whoever owns them last.
final class ParkedTasks: @unchecked Sendable {  // reactor only
    @exclusivity(unchecked) private unowned(unsafe) var head: Latch?
    @exclusivity(unchecked) private unowned(unsafe) var tail: Latch?

    func add(_ latch: Latch) {
        latch.previousParked = tail
        latch.nextParked = nil
        if let tail { tail.nextParked = latch } else { head = latch }
        tail = latch
    }

    func remove(_ latch: Latch) {
        if let previous = latch.previousParked {
            previous.nextParked = latch.nextParked
        } else {
            head = latch.nextParked
        }
        if let next = latch.nextParked {
            next.previousParked = latch.previousParked
        } else {
            tail = latch.previousParked
        }
        latch.previousParked = nil
        latch.nextParked = nil
    }

    /// The latches of all parked tasks, who parked first in front.
    var latches: [Latch] {
        var all: [Latch] = []
        var next = head
        while let latch = next {
            all.append(latch)
            next = latch.nextParked
        }
        return all
    }
}

extension Reactor {
    /// The latches of all tasks that are parked here, who parked first in front. Reactor only.
    ///
    /// - Complexity: O(n).
    @ReactorActor package var parkedLatches: [Latch] { parkedTasks.latches }
}
