/// A call that a reactor will make later: what `callLater` returns, to cancel it or ask about it.
///
/// Reactor only. Dropping the handle does not cancel the call. Follows Twisted's `IDelayedCall`.
@ReactorActor
public final class DelayedCall {
    enum State { case pending, fired, cancelled }

    /// When the call is due.
    public let deadline: ReactorInstant
    /// Order among equal deadlines.
    let sequence: UInt64
    private var action: (@ReactorActor () throws -> Void)?
    private(set) var state = State.pending
    private unowned let reactor: Reactor

    init(
        deadline: ReactorInstant, sequence: UInt64, reactor: Reactor,
        action: @escaping @ReactorActor () throws -> Void
    ) {
        self.deadline = deadline
        self.sequence = sequence
        self.reactor = reactor
        self.action = action
    }

    /// Whether the call is still to come.
    public var isActive: Bool { state == .pending }

    /// Takes the call back; it will not run. Never waits.
    ///
    /// - Throws: `ReactorError` with code `timerAlreadyFired` when it has run or is running now,
    ///   `timerAlreadyCancelled` when it was cancelled before.
    /// - Complexity: O(1); the queue forgets the call later.
    public func cancel() throws(ReactorError) {
        switch state {
        case .pending: cancelIfActive()
        case .fired: throw ReactorError(.timerAlreadyFired, "the delayed call has already been made")
        case .cancelled: throw ReactorError(.timerAlreadyCancelled, "the delayed call was already cancelled")
        }
    }

    /// Takes the call back if it is still to come; otherwise does nothing.
    public func cancelIfActive() {
        guard state == .pending else { return }
        state = .cancelled
        action = nil
        reactor.timers.noteCancellation()
    }

    func fire() throws {
        guard state == .pending, let action else { return }
        state = .fired
        self.action = nil
        try action()
    }
}
