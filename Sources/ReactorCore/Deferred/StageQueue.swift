/// The callbacks a chain has yet to run, first in, first out. The first three cost no allocation: chains are short.
///
/// A plain record, as the stages are: its owner drops what is left.
struct StageQueue {
    private static let inlineCount: UInt32 = 3
    private var inline = InlineArray<3, DeferredStage>(repeating: DeferredStage())
    private var overflow: [DeferredStage]?
    /// Stages added and taken since the queue was last empty.
    private var added: UInt32 = 0
    private var taken: UInt32 = 0

    init() {}

    @inline(__always) var isEmpty: Bool { added == taken }

    @inline(__always) mutating func append(_ stage: DeferredStage) {
        if added < Self.inlineCount { inline[Int(added)] = stage } else { appendFurther(stage) }
        added &+= 1
    }

    @inline(never) private mutating func appendFurther(_ stage: DeferredStage) {
        overflow = overflow ?? []
        overflow?.append(stage)
    }

    /// The next stage, taken out. The queue is not empty.
    @inline(__always) mutating func next() -> DeferredStage {
        let stage = taken < Self.inlineCount ? inline[Int(taken)] : overflow![Int(taken - Self.inlineCount)]
        taken &+= 1
        if taken & 0xFF == 0, taken > Self.inlineCount { forgetTaken() }
        if taken == added {
            if added > Self.inlineCount { overflow = nil }
            (added, taken) = (0, 0)
        }
        return stage
    }

    /// A queue that is never quite empty must not grow for ever.
    @inline(never) private mutating func forgetTaken() {
        let gone = Int(taken - Self.inlineCount)
        guard let count = overflow?.count, gone * 2 >= count, gone < count else { return }
        overflow?.removeFirst(gone)
        added -= UInt32(gone)
        taken = Self.inlineCount
    }

    /// Records that lie outside the first places.
    var overflowCount: Int { overflow?.count ?? 0 }

    /// Takes all that is left.
    mutating func takeAll() -> [DeferredStage] {
        var all: [DeferredStage] = []
        while !isEmpty { all.append(next()) }
        return all
    }
}
