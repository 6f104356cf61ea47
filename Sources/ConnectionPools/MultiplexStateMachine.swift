/// Every decision of statements that share connections, and nothing else: no I/O, no clock, no lock.
///
/// Statements wait in one queue and are handed to a line, a connection, when they can be sent at once: what is not sent
/// can go wherever there is room, what is sent cannot be taken back. A line answers in order.
///
/// What it promises after every event:
/// - *Order.* The statement at the head of the queue is the next to be sent, on the line with the least outstanding.
/// - *Bound.* No line has more than `depth` statements outstanding.
/// - *Nobody waits behind the unknown.* Behind a statement that is not known to be quick nothing is sent until it is answered;
///   nor behind one that turns out slow.
/// - *No stray cancel.* From a cancel request until it is settled and everything sent is answered, a line is sent nothing.
///   A statement hit by the request that was not meant goes out again; its caller hears nothing of it.
/// - *Progress.* While a statement waits, a line has something outstanding, or is being opened, or is wanted.
///
/// A line is opening → open → retiring → gone; it is gone only when nothing is outstanding on it, or when it is lost.
public struct MultiplexStateMachine<Statement> {
    @usableFromInline
    struct Sent {
        @usableFromInline let statement: Statement
        @usableFromInline let sequence: UInt64
        @usableFromInline let isQuick: Bool
        @usableFromInline var isAbandoned = false

        @inlinable
        init(_ statement: Statement, _ sequence: UInt64, isQuick: Bool) {
            self.statement = statement
            self.sequence = sequence
            self.isQuick = isQuick
        }
    }

    /// One that waits. Its place in the queue says when it came.
    @usableFromInline
    struct Waiting {
        @usableFromInline let statement: Statement
        @usableFromInline let sequence: UInt64
        @usableFromInline let isQuick: Bool

        @inlinable
        init(_ statement: Statement, _ sequence: UInt64, isQuick: Bool) {
            self.statement = statement
            self.sequence = sequence
            self.isQuick = isQuick
        }
    }

    @usableFromInline
    enum Phase: Sendable { case vacant, opening, open, retiring }

    @usableFromInline
    struct Cancel: Sendable {
        @usableFromInline let target: UInt64
        @usableFromInline var isTargetAnswered = false
        @usableFromInline var isSettled = false

        @inlinable init(target: UInt64) { self.target = target }

        @inlinable var isOver: Bool { isTargetAnswered && isSettled }
    }

    @usableFromInline
    struct Line {
        @usableFromInline var phase = Phase.vacant
        @usableFromInline var serial: UInt64 = 0
        /// What it was sent and has not answered, oldest first.
        @usableFromInline var sent = MultiplexRing<Sent>()
        /// Since when the oldest has run; while there is none, since when there is none.
        @usableFromInline var since = Duration.zero
        @usableFromInline var openedAt = Duration.zero
        /// Its youngest is not known to be quick.
        @usableFromInline var isSealed = false
        /// Its oldest has run for long.
        @usableFromInline var isSlow = false
        @usableFromInline var cancel: Cancel?

        @inlinable init() {}

        @inlinable func hasRoom(_ depth: Int) -> Bool {
            phase == .open && !isSealed && !isSlow && cancel == nil && sent.count < depth
        }

        @inlinable var mayGo: Bool { sent.isEmpty && cancel == nil }
    }

    /// The numbers it goes by.
    public let limits: MultiplexLimits

    @usableFromInline var lines: [Line]
    @usableFromInline var queue = WaitQueue<Waiting>()
    /// Where the statements wait that go out again.
    @usableFromInline var requeued: [UInt64: PoolTicket] = [:]
    @usableFromInline var nextSequence: UInt64 = 1
    @usableFromInline var nextSerial: UInt64 = 1
    /// The line that was used last had something outstanding already.
    @usableFromInline var isCrowded = false
    @usableFromInline var isClosed = false
    @usableFromInline var _givenWay = 0

    /// Creates a machine without lines.
    @inlinable
    public init(limits: MultiplexLimits) {
        precondition(limits.lines > 0 && limits.depth > 0, "statements need a line to be sent on")
        self.limits = limits
        lines = Array(repeating: Line(), count: limits.lines)
    }

    /// How many statements wait to be sent.
    @inlinable public var waiting: Int { queue.count }

    /// How many lines were given up, since its creation, for others who wanted a connection of their own.
    @inlinable public var givenWay: Int { _givenWay }

    /// How many more the open lines would take.
    @inlinable public var room: Int {
        lines.reduce(0) { $0 + ($1.hasRoom(limits.depth) ? limits.depth - $1.sent.count : 0) }
    }

    /// How many are sent and not answered.
    @inlinable public var outstanding: Int { lines.reduce(0) { $0 + $1.sent.count } }

    /// Lines that are open or retiring.
    @inlinable public var open: Int { lines.count { $0.phase == .open || $0.phase == .retiring } }

    /// Lines being opened.
    @inlinable public var opening: Int { lines.count { $0.phase == .opening } }

    /// How many statements the line has outstanding.
    @inlinable public func outstanding(on line: MultiplexLine) -> Int {
        holds(line) ? lines[line.index].sent.count : 0
    }

    @inlinable
    func holds(_ line: MultiplexLine) -> Bool {
        lines[line.index].serial == line.serial && lines[line.index].phase != .vacant
    }

    // MARK: Statements

    /// A statement comes; `next` tells when it can be sent.
    ///
    /// - Parameter isQuick: whether it is known to be. Nothing is sent behind one that is not.
    @inlinable
    public mutating func submit(_ statement: Statement, isQuick: Bool, at now: Duration) -> MultiplexTicket {
        precondition(!isClosed, "a statement was submitted to a closed machine")
        let sequence = nextSequence
        nextSequence += 1
        let place = queue.append(Waiting(statement, sequence, isQuick: isQuick), since: now)
        return MultiplexTicket(sequence: sequence, place: place)
    }

    /// The statement to be sent now, and where; nil when none can be. Ask until nil.
    @inlinable
    public mutating func next(at now: Duration) -> (statement: Statement, line: MultiplexLine)? {
        guard !queue.isEmpty else { return nil }
        var best = -1
        for index in lines.indices where lines[index].hasRoom(limits.depth) {
            if best < 0 || lines[index].sent.count < lines[best].sent.count { best = index }
        }
        guard best >= 0, let waiting = queue.popFirst()?.waiter else { return nil }
        if !requeued.isEmpty { requeued[waiting.sequence] = nil }
        isCrowded = lines[best].sent.count >= limits.spreadAt
        if lines[best].sent.isEmpty { lines[best].since = now }
        lines[best].isSealed = !waiting.isQuick
        lines[best].sent.append(Sent(waiting.statement, waiting.sequence, isQuick: waiting.isQuick))
        return (waiting.statement, MultiplexLine(index: best, serial: lines[best].serial))
    }

    /// The oldest statement of a line has its whole answer, its transaction is over.
    ///
    /// - Returns: what becomes of the answer, and how long it took since it was the oldest.
    @inlinable
    public mutating func answered(
        _ line: MultiplexLine, _ end: MultiplexEnd, at now: Duration
    ) -> (verdict: MultiplexVerdict<Statement>, duration: Duration) {
        let index = line.index
        precondition(holds(line), "a line that is gone has answered")
        let sent = lines[index].sent.popFirst()
        let duration = now - lines[index].since
        lines[index].since = now
        lines[index].isSlow = false
        if lines[index].sent.isEmpty { lines[index].isSealed = false }
        let isTarget = lines[index].cancel?.target == sent.sequence
        let isHit = end == .cancelled && lines[index].cancel != nil && !isTarget
        if isTarget { lines[index].cancel?.isTargetAnswered = true }
        endCancel(index)
        if sent.isAbandoned { return (.drop(sent.statement), duration) }
        guard (isHit || end == .stale) && !isTarget, !isClosed else {
            return (.deliver(sent.statement), duration)
        }
        requeue(sent)
        return (.rerun(sent.statement), duration)
    }

    /// The caller of a statement leaves.
    @inlinable
    public mutating func cancel(_ ticket: MultiplexTicket) -> MultiplexCancellation {
        if queue.remove(ticket.place) != nil { return .removed }
        if let place = requeued.removeValue(forKey: ticket.sequence) {
            _ = queue.remove(place)
            return .removed
        }
        for index in lines.indices {
            guard let position = lines[index].sent.firstIndex(where: { $0.sequence == ticket.sequence })
            else { continue }
            guard position == 0 else {
                lines[index].sent[position].isAbandoned = true
                return .abandoned
            }
            if let cancel = lines[index].cancel, !cancel.isOver {
                if cancel.target == ticket.sequence { return .requested }
                // The request for the one before is not settled: a second one could not be told from it.
                lines[index].sent[0].isAbandoned = true
                return .abandoned
            }
            return .request(startCancel(index))
        }
        return .over
    }

    /// The statement that the cancel request of a line was for is answered, the request has returned, and no further one
    /// will be sent.
    @inlinable
    public mutating func cancelSettled(_ line: MultiplexLine) {
        guard holds(line), lines[line.index].cancel != nil else { return }
        lines[line.index].cancel?.isSettled = true
        endCancel(line.index)
    }

    /// Whether the line's statement that a cancel request was made for is answered, and the request not settled yet: no
    /// further request may be sent.
    @inlinable
    public func isCancelToSettle(_ line: MultiplexLine) -> Bool {
        guard holds(line), let cancel = lines[line.index].cancel else { return false }
        return cancel.isTargetAnswered && !cancel.isSettled
    }
}

extension MultiplexStateMachine: Sendable where Statement: Sendable {}
extension MultiplexStateMachine.Sent: Sendable where Statement: Sendable {}
extension MultiplexStateMachine.Waiting: Sendable where Statement: Sendable {}
extension MultiplexStateMachine.Line: Sendable where Statement: Sendable {}
