import CLibPQ
import ReactorCore

/// A statement whose answer is taken piece by piece, at the consumer's pace: what streams and COPY are made of.
///
/// While the consumer has a piece in hand the socket is not read: libpq's buffer stays as it is, the kernel's fill up,
/// and the server waits. However it ends, the session is free afterwards and can run the next statement:
///
/// - the consumer takes all of it: free at once, before the last piece has been looked at;
/// - the consumer leaves: `abandon` cancels the statement on the server and throws the rest away, in a task of its own
///   when that takes time, and statements that come meanwhile wait for it;
/// - cancelled, timed out, the connection lost: the rest is thrown away likewise, and the consumer told when it asks.
@ReactorActor
final class StatementFeed {
    /// What the consumer's look at libpq came to.
    enum Step<Piece> {
        /// There is something; more may follow.
        case piece(Piece)
        /// There is something, and nothing follows.
        case last(Piece)
        /// Nothing yet.
        case wait
        /// Nothing more.
        case end
        /// An answer of another kind, which nobody can take.
        case unwanted
    }

    let session: PostgresSession
    /// Who waits for the time the session is free again; kept until then.
    private var loan: SessionLoan?
    private let number: UInt64
    private let isRead: Bool
    /// For who observes statements.
    private let text: String
    private let start: ReactorInstant
    /// Somebody waits in `next` or `drain`.
    private var isBusy = false
    /// It was interrupted while nobody waited, and what is still to come is being thrown away.
    private var isDiscarding = false
    private var hasTaken = false
    private(set) var isOver = false
    /// What it came to, until the consumer has been told.
    private var failure: (any Error)?
    private var reason: (any Error)?
    /// What the server said it did, once it is over.
    private(set) var commandTag = ""
    /// How many rows that was: the number that ends the tag.
    var affectedRows: Int { commandTag.split(separator: " ").last.flatMap { Int($0) } ?? 0 }
    /// What is read is a COPY, which is thrown away in another way.
    var isCopy = false
    /// Nothing of the answer is the consumer's to take but that it is done: an interruption that comes too late to stop the
    /// statement is none.
    var isOutcomeAll = false

    /// Sends a statement by `send`. When that throws the loan has been given back.
    ///
    /// - Parameters:
    ///   - text: the statement's, for who observes statements.
    ///   - isRead: the statement changes nothing, as far as its text tells.
    init(
        _ loan: SessionLoan, _ text: String, timeout: Duration?, isRead: Bool,
        _ send: (OpaquePointer) -> Int32
    ) async throws {
        session = loan.session
        self.text = text
        self.isRead = isRead
        start = session.reactor.now
        do {
            try session.checkKeepsNothing(text)
            await session.waitForCleanUp()
            _ = try session.beginExchange(timeout: timeout, send)
        } catch {
            loan.giveBack()
            throw error
        }
        self.loan = loan
        number = session.exchange.number
        session.exchange.feed = self
        session.pace(true)
    }

    // MARK: Taking

    /// The next piece that `take` finds in libpq; nil after the last. Parks the calling task while there is none.
    ///
    /// - Throws: what the statement came to, once.
    func next<Piece>(_ take: (OpaquePointer) -> Step<Piece>) async throws -> Piece? {
        session.abandonIfInherited()
        if isDiscarding { await waitForEnd() }
        if isOver { return try end() }
        guard !isBusy else { throw PostgresError.isReadTwice }
        isBusy = true
        defer { isBusy = false }
        // A server that is faster than its consumer would never let the reactor look at anything else.
        if hasTaken { await session.reactor.yield() }
        hasTaken = true
        if Task.isCancelled { session.interrupt(.cancelled, exchange: number) }
        while isGood, let handle = session.handle {
            switch take(handle) {
            case .piece(let piece): return piece
            case .last(let piece):
                await settle()
                return piece
            case .end:
                await settle()
                return try end()
            case .wait:
                await session.waitForInput(of: number)
            case .unwanted:
                await discard()
                return try end()
            }
        }
        await discard()
        return try end()
    }

    /// Puts something into libpq by `put`, once what was put before has been sent: libpq would buffer without bound.
    ///
    /// `put` returns what PQputCopyData returns.
    /// - Throws: what the statement came to, when it is over before its time.
    func send(_ put: (OpaquePointer) -> Int32) async throws {
        session.abandonIfInherited()
        if isDiscarding { await waitForEnd() }
        guard !isBusy, !isOver else {
            // Again, where the first time was ignored.
            if isOver, let reason { throw reason }
            throw PostgresError(
                isOver ? .connectionClosed : .connectionBusy,
                isOver ? "the COPY is over" : "two tasks write into the same COPY")
        }
        isBusy = true
        defer { isBusy = false }
        if Task.isCancelled { session.interrupt(.cancelled, exchange: number) }
        while isGood, !session.exchange.isCopyRefused, let handle = session.handle,
            PQstatus(handle) == CONNECTION_OK
        {
            if session.hasWriter {
                await session.waitForInput(of: number)
                continue
            }
            guard put(handle) == 1 else { break }
            session.flush()
            // As in `next`: a server that is faster than what is put in.
            if !session.hasWriter { await session.reactor.yield() }
            return
        }
        await discard()
        try throwFailure()
        throw session.unusable
    }

    /// Whether there is still something to be taken.
    private var isGood: Bool {
        session.exchange.interruption == nil && session.isUsable
    }

    private func end<Piece>() throws -> Piece? {
        try throwFailure()
        return nil
    }

    private func throwFailure() throws {
        guard let failure else { return }
        self.failure = nil
        throw failure
    }

    // MARK: Leaving

    /// The consumer leaves. Never waits: what takes time is done in the background.
    func abandon() {
        session.abandonIfInherited()
        guard !isOver, !isBusy else { return }
        // A short answer is here already, and there is nothing to cancel.
        beginDiscarding()
        session.takeInput()
        if let handle = session.handle, session.advance(handle), !session.exchange.isCancelInFlight {
            return conclude()
        }
        session.interrupt(.cancelled, exchange: number)
        discardInBackground()
    }

    /// Leaves, and returns when the session is free.
    func close() async {
        abandon()
        await waitForEnd()
    }

    /// Parks until it is over. Not until the session is free: it may be lent to another before this task has its turn.
    private func waitForEnd() async {
        while !isOver, !session.isInherited { await session.waitForEndOfExchange() }
    }

    /// The statement is to end, or the connection has: its session calls.
    func wasInterrupted() {
        guard !isOver else { return }
        if isBusy { session.signal.raise() } else { discardInBackground() }
    }

    private func discardInBackground() {
        guard !isBusy, !isOver else { return }
        isBusy = true
        isDiscarding = true
        beginDiscarding()
        _ = session.reactor.startTask { [self] in
            await discard()
            isBusy = false
            isDiscarding = false
        }
    }

    private func beginDiscarding() {
        session.exchange.isCleanUp = true
        if isCopy { session.exchange.isDiscardingCopy = true }
        isCopy = false
        session.pace(false)
    }

    /// Throws away what is still to come.
    private func discard() async {
        beginDiscarding()
        while let handle = session.handle, !session.advance(handle) { await session.signal.wait() }
        await settle(isDiscarded: true)
    }

    /// The answer is complete; waits for a cancel request on its way, which could hit the next statement, if there can be
    /// one.
    private func settle(isDiscarded: Bool = false) async {
        session.exchange.isAnswered = true
        if !isDiscarded { session.exchange.isComplete = true }
        if session.exchange.isCancelInFlight { await session.waitForCancelRequest() }
        conclude(isDiscarded: isDiscarded)
    }

    private func conclude(isDiscarded: Bool = false) {
        do {
            commandTag = try session.judge().commandTag
            // Done, but not for a consumer who has not got all of it.
            if isDiscarded, !isOutcomeAll, let interruption = session.exchange.interruption {
                let isCommitted = !isRead && session.transactionStatus == PQTRANS_IDLE
                throw isCommitted
                    ? interruption.outcomeUnknown("a stream was interrupted whose statement has taken effect")
                    : interruption.error
            }
        } catch { failure = error }
        if session.isObserved {
            session.configuration.tell(
                text, since: start, processID: session.processID,
                failure.map { .failure($0) } ?? .success(affectedRows))
        }
        isOver = true
        reason = failure
        session.finishExchange()
        let loan = loan
        self.loan = nil
        loan?.giveBack()
    }
}

extension PostgresSession {
    /// Parks the consumer of a feed until the socket has something for it, or the statement is interrupted.
    func waitForInput(of number: UInt64) async {
        exchange.isInputAwaited = true
        resumeReading()
        await withTaskCancellationHandler {
            if !signal.take() { await withUnsafeContinuation { signal.park($0) } }
        } onCancel: {
            interruptFromAnyThread(number)
        }
        exchange.isInputAwaited = false
    }
}
