import DequeModule

/// What a reactor keeps for file operations.
struct FileState {
    /// The engine asked for; nil before anybody has.
    var engine: Reactor.FileEngine?
    /// Made with the first use of its engine, kept until the reactor ends: operations may be in it.
    var ring: FileRing?
    /// Whether the kernel has refused a ring.
    var isRingRefused = false
    /// Descriptors whose current position is in use, and who comes next.
    var positions: [Int32: Deque<Latch>] = [:]
}
