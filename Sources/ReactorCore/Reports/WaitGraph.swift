/// Who waits for whom among parked tasks: the part of the search for deadlocks that needs no reactor.
struct WaitGraph {
    /// For each task, by address, the tasks that could end its wait.
    private let holders: [UInt: [UInt]]
    /// The tasks in the order in which they parked.
    private let order: [UInt]

    init(_ waits: [(task: UInt, holders: [UInt])]) {
        order = waits.map(\.task)
        holders = Dictionary(waits.map { ($0.task, $0.holders) }, uniquingKeysWith: { first, _ in first })
    }

    /// Circles of tasks each of which waits for the next, one for each group of tasks that reach each other; a task
    /// that waits for itself is a circle of one.
    var cycles: [[UInt]] {
        var found: [[UInt]] = []
        var finished: Set<UInt> = []
        for start in order where !finished.contains(start) {
            // Depth first, by hand: a chain of waits may be as long as there are greenlets.
            var path: [UInt] = [start]
            var next: [Int] = [0]
            var places = [start: 0]
            while let task = path.last, let index = next.last {
                let heirs = holders[task] ?? []
                guard index < heirs.count else {
                    path.removeLast()
                    next.removeLast()
                    places[task] = nil
                    finished.insert(task)
                    continue
                }
                next[next.count - 1] = index + 1
                let holder = heirs[index]
                if let place = places[holder] {
                    let cycle = Array(path[place...])
                    if !found.contains(where: { !Set($0).isDisjoint(with: cycle) }) { found.append(cycle) }
                } else if !finished.contains(holder), holders[holder] != nil {
                    places[holder] = path.count
                    path.append(holder)
                    next.append(0)
                }
            }
        }
        return found
    }
}
