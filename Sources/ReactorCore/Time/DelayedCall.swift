/// A call that a reactor will make later: what `callLater` returns, to cancel it, move it or ask about it.
///
/// ```swift
/// let timeout = reactor.callLater(.seconds(30)) { connection.close() }
/// try timeout.reset(after: .seconds(30))   // bytes have come: thirty seconds from now
/// try timeout.cancel()
/// ```
/// Reactor only. Dropping the handle does not cancel the call. Follows Twisted's `IDelayedCall`.
@ReactorActor
public final class DelayedCall {
    /// Instead of a place in the queue: the call has been made.
    nonisolated static let fired: Int32 = -1
    /// Instead of a place in the queue: the call was taken back.
    nonisolated static let cancelled: Int32 = -2

    // Unsafe and unchecked: TimerQueue, which reactor code alone uses, and this file touch these, a statement
    // at a time and never across user code. A call that nobody has yet, or whose reactor has ended, nobody
    // else looks at.
    @exclusivity(unchecked) private nonisolated(unsafe) var action: QueuedCall?
    @exclusivity(unchecked) nonisolated(unsafe) var due: ReactorInstant
    /// Order among equal deadlines: a call that was moved comes behind those that were there before.
    @exclusivity(unchecked) nonisolated(unsafe) var sequence: UInt64
    nonisolated let site: CallSite
    /// Where in the queue it is, or why it is not there. Behind `site`, whose last four
    /// bytes it shares a word with: 72 bytes in all are the most that the allocator gives for 80.
    @exclusivity(unchecked) nonisolated(unsafe) var position: Int32 = 0
    /// Used only while the call is in the queue: a queue that ends takes its calls out first.
    private nonisolated(unsafe) let queue: UnsafeMutablePointer<TimerQueue>

    nonisolated init(
        deadline: ReactorInstant, queue: UnsafeMutablePointer<TimerQueue>, site: CallSite,
        action: consuming @escaping QueuedCall
    ) {
        self.action = action
        self.due = deadline
        self.sequence = queue.pointee.nextSequence()
        self.site = site
        self.queue = queue
    }

    /// When the call is due.
    public var deadline: ReactorInstant { due }
    /// Whether the call is still to come.
    public var isActive: Bool { position >= 0 }

    /// Takes the call back; it will not run. Never waits.
    ///
    /// - Throws: `ReactorError` with code `timerAlreadyFired` when it has run or is running now,
    ///   `timerAlreadyCancelled` when it was cancelled before.
    /// - Complexity: O(log n) of the calls pending; a few steps for one made lately.
    public func cancel() throws(ReactorError) {
        try checkActive("cancelled")
        cancelIfActive()
    }

    /// Takes the call back if it is still to come; otherwise does nothing.
    public func cancelIfActive() {
        guard position >= 0 else { return }
        queue.pointee.remove(self)
        finish(as: Self.cancelled)
    }

    /// Makes the call due `delay` from now, whenever it was due before. Never waits.
    ///
    /// It comes behind the calls that are due at the same instant already. `.zero` runs in a coming turn,
    /// even inside another delayed call that is due now.
    /// - Throws: `ReactorError` with code `timerAlreadyFired` or `timerAlreadyCancelled`, as `cancel()`.
    /// - Precondition: `delay` is not negative.
    /// - Complexity: O(log n).
    public func reset(after delay: Duration) throws(ReactorError) {
        precondition(delay.attoseconds >= 0, "reset(after: \(delay)) of \(self): a delay cannot be negative")
        try checkActive("reset")
        queue.pointee.move(self, to: queue.pointee.clock.now.advanced(by: delay))
    }

    /// Makes the call due that much later than it was, or earlier for a negative `delay`. Never waits.
    ///
    /// Moved into the past it runs in a coming turn. Otherwise as `reset(after:)`.
    /// - Throws: `ReactorError` with code `timerAlreadyFired` or `timerAlreadyCancelled`, as `cancel()`.
    /// - Complexity: O(log n).
    public func delay(by delay: Duration) throws(ReactorError) {
        try checkActive("delayed")
        queue.pointee.move(self, to: deadline.advanced(by: delay))
    }

    private func checkActive(_ verb: String) throws(ReactorError) {
        switch position {
        case Self.fired:
            throw ReactorError(.timerAlreadyFired, "\(self) cannot be \(verb): it has already been made")
        case Self.cancelled:
            throw ReactorError(.timerAlreadyCancelled, "\(self) cannot be \(verb): it was cancelled before")
        default: break
        }
    }

    /// Makes the call, which the queue has just given up.
    func fire() throws {
        guard let action = finish(as: Self.fired) else { return }
        try action()
    }

    /// Notes the end and lets go of the action. It is returned so that what it holds is released last: that
    /// may run user code.
    @discardableResult nonisolated func finish(as end: Int32) -> QueuedCall? {
        position = end
        return action.take()
    }
}

extension DelayedCall: CustomStringConvertible {
    /// `the delayed call made at Module/File.swift:12`.
    public nonisolated var description: String { "the delayed call made at \(site)" }
}
