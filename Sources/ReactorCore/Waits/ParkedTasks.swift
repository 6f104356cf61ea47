import CLinux

extension Reactor {
    /// The latches of all tasks that are parked here, who parked first in front: what dumps and the search for deadlocks go
    /// through. Reactor only.
    ///
    /// - Complexity: O(n).
    @ReactorActor package var parkedLatches: [Latch] {
        var all: [Latch] = []
        var next = clinux_list_first(parkedTasks).map(Latch.at)
        while let latch = next {
            all.append(latch)
            next = latch.nextParked
        }
        return all
    }

    /// An empty list of parked tasks. A list through the latches, so that to park costs a few stores.
    static func makeParkedTasks() -> UnsafeMutablePointer<clinux_link> {
        let list = UnsafeMutablePointer<clinux_link>.allocate(capacity: 1)
        clinux_list_init(list)
        return list
    }
}
