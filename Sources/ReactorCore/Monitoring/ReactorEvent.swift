/// What happens to a reactor, for those who watch over it; see `Reactor.events`.
public enum ReactorEvent: Sendable {
    /// The monitor began to watch the loop.
    case monitorStarted
    /// The loop has been blocked for longer than `maxBlockingTime`. Once a block.
    case loopBlocked(BlockReport)
    /// It goes on; the report has the block's whole length.
    case loopUnblocked(BlockReport)
    /// The process has more resident memory, in bytes, than `memoryLimit`, and more than when that was said last.
    case memoryAboveLimit(Int)
    /// It has less again. Once, until it has more.
    case memoryBelowLimit(Int)
}
