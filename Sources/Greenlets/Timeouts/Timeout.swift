public import ReactorCore
import Synchronization

/// The deadline of one `withTimeout`, as its body sees it: it can be called off, moved, and asked whether an error is its.
///
/// Reactor only.
@ReactorActor
public final class Timeout: Limit {
    private nonisolated static let lastID = Atomic<UInt64>(0)

    /// Identifies the time-out and its errors: unique in the process.
    public nonisolated let id = Timeout.lastID.add(1, ordering: .relaxed).newValue
    /// The time given, the last time; nil for no limit.
    public private(set) var duration: Duration?
    /// Whether the time is over.
    @exclusivity(unchecked) public private(set) var isOver = false
    /// When it will be over; nil when it is, was called off or has no limit.
    public var deadline: ReactorInstant? { timer.flatMap { $0.isActive ? $0.deadline : nil } }

    private let reactor = Reactor.current
    private var timer: DelayedCall?
    /// Ends what the body waits for.
    private let interrupt: @ReactorActor () -> Void

    init(_ duration: Duration?, interrupt: @escaping @ReactorActor () -> Void) {
        self.interrupt = interrupt
        restart(after: duration)
    }

    /// Whether `error` says that this time-out's time was over, and not another's.
    public nonisolated func owns(_ error: any Error) -> Bool { (error as? TimeoutError)?.id == id }

    /// Calls the time-out off: the body has all the time it wants. Does nothing once the time is over.
    public func cancel() { timer?.cancelIfActive() }

    /// Gives the body `duration` from now, whatever was given before; nil for no limit. Does nothing once the time is over.
    public func restart(after duration: Duration?) {
        guard !isOver else { return }
        timer?.cancelIfActive()
        timer = nil
        self.duration = duration
        guard let duration else { return }
        // A turn later than due: what is ready has been found ready then, though the loop was held up.
        timer = reactor.callInternallyLater(duration) { [self] in
            isOver = true
            interrupt()
        }
    }

    var interruption: any Error { error }

    /// The error of this time-out.
    var error: TimeoutError { TimeoutError(id: id, duration: duration ?? .zero, underlying: nil) }

    /// What the body's error is to the caller: while there was time its own, then this time-out's. That of a time-out around
    /// this one passes, and so does a kill.
    func translate(_ error: any Error, isKilled: Bool) -> any Error {
        guard isOver, !isKilled else { return error }
        if let other = error as? TimeoutError { return other.id == id ? self.error : other }
        var mine = self.error
        if !DeferredError.isCancellation(error) { mine.underlying = error }
        return mine
    }
}
