/// Names one statement of a ``MultiplexStateMachine``; never reused.
public struct MultiplexTicket: Hashable, Sendable {
    @usableFromInline let sequence: UInt64
    /// Where it waited first.
    @usableFromInline let place: PoolTicket

    @inlinable
    init(sequence: UInt64, place: PoolTicket) {
        self.sequence = sequence
        self.place = place
    }
}

/// How a statement ended on the server.
@frozen
public enum MultiplexEnd: Hashable, Sendable {
    /// With a result or an error of its own.
    case answered
    /// By a cancel request, so that it took no effect.
    case cancelled
    /// In a way that has taken no effect and that a second try mends: its prepared plan was stale.
    case stale
}

/// What becomes of an answer.
@frozen
public enum MultiplexVerdict<Statement> {
    /// It belongs to the caller.
    case deliver(Statement)
    /// Its caller has left.
    case drop(Statement)
    /// The statement took no effect and goes out again, before all others; its caller hears nothing of it.
    case rerun(Statement)
}

/// What to do for a caller that leaves.
@frozen
public enum MultiplexCancellation: Hashable, Sendable {
    /// The statement was never sent and never will be. The caller can go.
    case removed
    /// It is sent and waits behind others: its answer will be dropped. The caller can go.
    case abandoned
    /// It is what its line runs: send the server a cancel request. The caller waits for the end.
    case request(MultiplexLine)
    /// It runs, and its line is busy cancelling it already. The caller waits for the end.
    case requested
    /// It has its answer already.
    case over
}

/// What time has brought.
public struct MultiplexTick<Statement> {
    /// Send the server a cancel request: what these lines run for long has lost its caller.
    public var requests: [MultiplexLine] = []
    /// These have waited for too long; none of them was sent.
    public var expired: [Statement] = []
    /// Nothing is outstanding on these: give their connections back.
    public var released: [MultiplexLine] = []

    @inlinable init() {}
}
