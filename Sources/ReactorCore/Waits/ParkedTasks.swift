import CLinux

extension Reactor {
    /// The latches of all tasks that are parked here, who parked first in front: what dumps and the search for deadlocks go
    /// through. Reactor only.
    ///
    /// - Complexity: O(n).
    @ReactorActor package var parkedLatches: [Latch] {
        var all: [Latch] = []
        for list in [parkedTasks, parkedTasks + 1] {
            let isFirst = all.isEmpty
            var next = clinux_list_first(list)
            while let place = next {
                all.append(Latch.at(parked: place))
                next = clinux_link_next(place, list)
            }
            if !isFirst { all.sort { $0.parkedSince < $1.parkedSince } }
        }
        return all
    }

    /// Whether tasks are parked, and all of them on what only other tasks of the reactor bring about.
    @ReactorActor var waitsForItselfOnly: Bool {
        clinux_list_first(parkedTasks) == nil && clinux_list_first(parkedTasks + 1) != nil
    }

    /// Two empty lists of parked tasks: first of those whose wait may end from outside, then of the others. Lists through
    /// the latches, so that to park costs a few stores.
    static func makeParkedTasks() -> UnsafeMutablePointer<clinux_link> {
        let lists = UnsafeMutablePointer<clinux_link>.allocate(capacity: 2)
        clinux_list_init(lists)
        clinux_list_init(lists + 1)
        return lists
    }
}
