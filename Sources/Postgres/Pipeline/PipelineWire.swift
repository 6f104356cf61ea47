import CLibPQ
import DequeModule
import PostgresValues
import ReactorCore

/// Sends statements in libpq's pipeline mode and matches the answers to them.
///
/// The server runs what stands between two syncs, a segment, as one transaction: an error skips the rest of it, and only
/// the answer to the sync says that the segment has been committed. So a statement's answer counts when its segment is
/// over, not before: a deferred constraint fails at the sync.
///
/// PQgetResult tells the answers in order: for each statement its result and then nothing, for a sync one result of its
/// own. libpq before 17 pushes to the socket at each sync.
@ReactorActor
final class PipelineWire {
    private enum Expected {
        case prepare(PipelinedCall, PreparedStatement)
        /// The text of one that is only described.
        case parse(PipelinedCall)
        case describe(PipelinedCall, PreparedStatement)
        case rows(PipelinedCall, PreparedStatement?)
        case deallocate(String)
        case sync
    }

    enum Progress {
        /// Everything sent is answered.
        case done
        /// More is to come.
        case waiting
        /// The session is lost.
        case lost
    }

    let session: PostgresSession
    /// Sent since the last sync.
    private(set) var isInSegment = false
    /// About how many bytes were sent since whoever counts them set it back.
    var bytesSent = 0

    private var expected = Deque<Expected>()
    /// Statements of the segment whose answers come in.
    private var answered: [PipelinedCall] = []
    private var cause: (any Error)?
    private var hasResult = false
    private var emptyAnswers = 0

    init(_ session: PostgresSession) { self.session = session }

    // MARK: Sending

    /// Queues a statement: to be prepared first, at its second use. False when the connection does not take it.
    func send(_ call: PipelinedCall, _ handle: OpaquePointer) -> Bool {
        isInSegment = true
        bytesSent += call.sql.text.utf8.count + 64
        for parameter in call.sql.parameters { bytesSent += (parameter.bytes?.count ?? 0) + 8 }
        if call.isDescription { return sendDescribing(call, handle) }
        guard session.statements.capacity > 0, !call.isPlain else { return sendPlain(call, handle) }
        switch session.statements.use(call.sql, call.fingerprint) {
        case .first: return sendPlain(call, handle)
        case .prepared(let statement):
            guard statement.columns != nil || statement.segment == session.segments else {
                return sendPlain(call, handle)
            }
            expected.append(.rows(call, statement))
            return session.sendPrepared(statement.name, call.sql, statement.format, handle) == 1
        case .again:
            guard call.sql.isWorthPreparing else { return sendPlain(call, handle) }
            return sendPreparing(call, handle)
        }
    }

    private func sendPlain(_ call: PipelinedCall, _ handle: OpaquePointer) -> Bool {
        expected.append(.rows(call, nil))
        return session.sendUnprepared(call.sql, handle) == 1
    }

    private func sendPreparing(_ call: PipelinedCall, _ handle: OpaquePointer) -> Bool {
        let statement = session.statements.prepare(call.fingerprint, segment: session.segments)
        let types = call.sql.parameters.map(\.oid.rawValue)
        expected.append(.prepare(call, statement))
        expected.append(.describe(call, statement))
        expected.append(.rows(call, statement))
        return PQsendPrepare(handle, statement.name, call.sql.text, Int32(types.count), types) == 1
            && PQsendDescribePrepared(handle, statement.name) == 1
            && session.sendPrepared(statement.name, call.sql, .text, handle) == 1
    }

    /// The statement without a name is described, in the segment in which it is made: outside, a pooler in transaction mode would
    /// ask another session.
    private func sendDescribing(_ call: PipelinedCall, _ handle: OpaquePointer) -> Bool {
        expected.append(.parse(call))
        expected.append(.rows(call, nil))
        return PQsendPrepare(handle, "", call.sql.text, 0, nil) == 1
            && PQsendDescribePrepared(handle, "") == 1
    }

    /// Ends the segment.
    func sync(_ handle: OpaquePointer) -> Bool {
        isInSegment = false
        session.segments += 1
        expected.append(.sync)
        return clibpq_end_segment(handle) == 1
    }

    /// Lets the server forget statements, in a segment of their own. Outside transactions only: a name that the server does
    /// not know any more would fail one.
    func deallocateCondemned(_ handle: OpaquePointer) -> Bool {
        let names = session.statements.takeCondemned()
        guard !names.isEmpty else { return true }
        for name in names {
            expected.append(.deallocate(name))
            guard PQsendQueryParams(handle, "DEALLOCATE \(name)", 0, nil, nil, nil, nil, 0) == 1 else {
                return false
            }
        }
        return sync(handle)
    }

    // MARK: Receiving

    /// Takes in the answers that are there. Calls `segmentEnded` with the statements of each segment that is over.
    func receive(_ segmentEnded: ([PipelinedCall]) -> Void) -> Progress {
        while let handle = session.handle, session.failure == nil {
            if PQstatus(handle) == CONNECTION_OK {
                guard !expected.isEmpty else { return .done }
                // Asked before waiting: TLS may hold rows that the socket no longer shows.
                if PQisBusy(handle) != 0 { return .waiting }
            }
            let result = PQgetResult(handle)
            session.noteSocket(nil)
            if let result {
                emptyAnswers = 0
                take(LibPQResult(owning: result), segmentEnded)
            } else if PQstatus(handle) != CONNECTION_OK {
                session.loseWith(libpqMessage: String(cString: PQerrorMessage(handle)))
            } else {
                endOfAnswer()
            }
        }
        return .lost
    }

    /// The statements whose answers will not come any more, oldest first.
    func takeUnanswered() -> [PipelinedCall] {
        var calls = answered
        for case .rows(let call, _) in expected { calls.append(call) }
        expected.removeAll()
        answered.removeAll()
        return calls
    }

    /// libpq's way to say that what came was all of a statement's answer.
    private func endOfAnswer() {
        if hasResult {
            hasResult = false
            return
        }
        emptyAnswers += 1
        // One comes behind an error at a sync.
        guard emptyAnswers > 2 else { return }
        session.lose(
            PostgresError(.connectionLost, "libpq told no answer to a pipelined statement"), .alone)
    }

    private func take(_ result: consuming LibPQResult, _ segmentEnded: ([PipelinedCall]) -> Void) {
        switch result.status {
        case PGRES_PIPELINE_SYNC:
            _ = expected.popFirst()
            endSegment(segmentEnded)
            return
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: succeed(result)
        case PGRES_PIPELINE_ABORTED: fail(nil, isForgotten: false)
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            session.lose(
                PostgresError(
                    .connectionLost,
                    "COPY in a pipeline: the connection had to be given up; COPY needs a call of its own"),
                .alone)
            return
        default:
            let error = session.pipelineFailure(result)
            guard session.failure == nil else { return }
            fail(error, isForgotten: (error as? PostgresError)?.sqlState == .invalidSQLStatementName)
        }
    }

    private func succeed(_ result: borrowing LibPQResult) {
        hasResult = true
        switch expected.popFirst() {
        case .rows(let call, let statement):
            // Sent before it was described, its answer comes in text.
            session.noteCommandTag(result.pointer, of: call.sql.text)
            if call.isDescription { call.table = PQftable(result.pointer, 0) }
            call.answer = .success(result.rows(statement?.format == result.format ? statement?.columns : nil))
            answered.append(call)
        case .describe(_, let statement): statement.describe(result.columns)
        default: break
        }
    }

    /// - Parameter error: nil when an earlier one of the segment is why.
    private func fail(_ error: (any Error)?, isForgotten: Bool) {
        if let error { cause = cause ?? error }
        let error = error ?? PostgresError.aborted(by: cause ?? PostgresError.notYetSent)
        if case .sync? = expected.first { return }
        hasResult = true
        switch expected.popFirst() {
        case .rows(let call, let statement):
            // Of a statement that could not be prepared that is the error.
            if !call.hasFailed { call.fail(error) }
            if let statement, statement.columns != nil,
                (error as? PostgresError)?.isOfStalePlan(of: call.sql) == true
            {
                call.isStale = true
                session.statements.forget(statement, call.fingerprint, isKnown: !isForgotten)
            }
            answered.append(call)
        case .parse(let call): call.fail(error)
        case .prepare(let call, let statement):
            call.fail(error)
            session.statements.revert(statement, call.fingerprint)
        case .describe(let call, let statement):
            if !call.hasFailed { call.fail(error) }
            // Prepared or not: a name that the server does not know is deallocated in vain, which does no harm.
            session.statements.forget(statement, call.fingerprint, isKnown: true)
        case .deallocate(let name):
            // That one is gone by itself; those behind it are still to be dealt with.
            if !isForgotten { session.statements.condemn([name]) }
        default: break
        }
    }

    private func endSegment(_ segmentEnded: ([PipelinedCall]) -> Void) {
        let calls = answered
        answered.removeAll(keepingCapacity: true)
        if let cause {
            self.cause = nil
            undo(calls, cause)
        }
        if !calls.isEmpty { segmentEnded(calls) }
    }

    /// What has succeeded in a segment that failed is undone. When no statement of it failed, its end did, for all of them.
    private func undo(_ calls: [PipelinedCall], _ cause: any Error) {
        let isAtEnd = !calls.contains { $0.hasFailed }
        // A COMMIT among them may have saved what was before it.
        guard
            calls.count == 1 || !calls.contains(where: { StatementKind($0.sql.text) == .transactionControl })
        else { return }
        for call in calls where !call.hasFailed {
            call.fail(isAtEnd ? cause : PostgresError.aborted(by: cause))
        }
    }
}
