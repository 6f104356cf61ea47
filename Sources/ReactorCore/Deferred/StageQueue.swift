/// The callbacks a chain has yet to run, first in, first out. The first three cost no allocation: chains are short.
struct StageQueue {
    private var inline: (DeferredStage?, DeferredStage?, DeferredStage?) = (nil, nil, nil)
    private var overflow: [DeferredStage] = []
    /// Stages added and taken since the queue was last empty.
    private var added: UInt32 = 0
    private var taken: UInt32 = 0

    init() {}

    @inline(__always) var isEmpty: Bool { added == taken }

    @inline(__always) mutating func append(_ stage: DeferredStage) {
        switch added {
        case 0: inline.0 = stage
        case 1: inline.1 = stage
        case 2: inline.2 = stage
        default: overflow.append(stage)
        }
        added += 1
    }

    /// The next stage, taken out. The queue is not empty.
    @inline(__always) mutating func next() -> DeferredStage {
        let stage =
            switch taken {
            case 0: inline.0!
            case 1: inline.1!
            case 2: inline.2!
            default: overflow[Int(taken) - 3]
            }
        taken += 1
        if taken == added {
            if added > 3 { overflow.removeAll(keepingCapacity: true) }
            (added, taken) = (0, 0)
        }
        return stage
    }

    /// Takes all that is left.
    mutating func takeAll() -> [DeferredStage] {
        var all: [DeferredStage] = []
        while !isEmpty { all.append(next()) }
        return all
    }
}
