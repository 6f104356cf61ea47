import CLibPQ
import ReactorCore

/// What goes down a pipeline.
enum PipelineStep {
    case statement(PipelinedCall)
    /// The end of a segment.
    case sync
}

extension PostgresSession {
    /// Sends all steps, the last of which is a sync, and waits for all answers, which are in the calls then.
    ///
    /// Reads while it writes and holds back what the socket does not take: neither a large pipeline nor large answers stop
    /// both sides or fill the memory.
    ///
    /// When it returns or throws the session is free again, as after `perform`.
    /// - Throws: only what concerns the whole: the connection is lost, the wait was cancelled or took too long. Errors of
    ///   statements are theirs.
    func runPipeline(_ steps: [PipelineStep], timeout: Duration? = nil) async throws {
        let deadline = timeout.map { reactor.now.advanced(by: $0) }
        if exchange.isCleanUp { await waitForCleanUp() }
        let isFree = transactionStatus == PQTRANS_IDLE
        var steps = steps
        while true {
            try await runPipelineOnce(steps, deadline.map { max(.zero, reactor.now.duration(to: $0)) })
            // Outside a transaction: what failed has taken no effect.
            guard isFree, transactionStatus == PQTRANS_IDLE, let again = PipelineProgress(steps).retry()
            else { return }
            steps = again
        }
    }

    private func runPipelineOnce(_ steps: [PipelineStep], _ timeout: Duration?) async throws {
        let handle = try beginPipeline()
        defer { endPipeline() }
        let wire = PipelineWire(self)
        if PQtransactionStatus(handle) == PQTRANS_IDLE, !wire.deallocateCondemned(handle) {
            _ = sendFailure(handle)
        }
        let number = exchange.number
        var timer: DelayedCall?
        if let timeout {
            timer = reactor.callLater(max(.zero, timeout)) {
                self.interrupt(.timedOut(timeout), exchange: number)
            }
        }
        defer { timer?.cancelIfActive() }
        var progress = PipelineProgress(steps)
        await withTaskCancellationHandler {
            while !advance(&progress, wire, handle) {
                if !signal.take() { await withUnsafeContinuation { signal.park($0) } }
            }
        } onCancel: {
            interruptFromAnyThread(number)
        }
        exchange.isAnswered = true
        // A request that arrives late would cancel whatever comes next.
        if exchange.isCancelInFlight { await waitForCancelRequest() }
        try conclude(progress, wire)
    }

    /// Takes the session for a pipeline.
    func beginPipeline() throws -> OpaquePointer {
        try refuseWhenInherited()
        guard !exchange.isUnderWay else { throw busy }
        guard let handle, failure == nil else { throw unusable }
        try Task.checkCancellation()
        if let condemned { throw condemned }
        if isInSingleRowMode {
            // libpq leaves the mode where it begins to send outside a pipeline; else the first statement in this one would still
            // be in it, and each of its rows would be taken for an answer. No text is refused behind that beginning.
            _ = PQsendQuery(handle, nil)
            isInSingleRowMode = false
        }
        guard PQenterPipelineMode(handle) == 1 else { throw sendFailure(handle) }
        exchange.isUnderWay = true
        renewExchange()
        return handle
    }

    /// Makes the exchange under way a new one, which nobody has interrupted.
    func renewExchange() {
        stopCancelling()
        exchange.number += 1
        exchange.interruption = nil
        exchange.isJustAwaited = false
        exchange.isCancelSent = false
        exchange.isDiscardingCopy = false
        exchange.isAnswered = false
        exchange.isComplete = false
    }

    /// What was to be cancelled is over: no further request is sent, and nothing is given up for its sake.
    func stopCancelling() {
        exchange.isAnswered = true
        exchange.cancelTimer?.cancelIfActive()
        exchange.cancelTimer = nil
        takeCancelRequestBack()
        // One that is on its way may be stuck: its time goes on.
        guard !exchange.isCancelInFlight else { return }
        exchange.graceTimer?.cancelIfActive()
        exchange.graceTimer = nil
    }

    /// Gives the session back, everything being answered or the session lost.
    func endPipeline() {
        if let handle, failure == nil, PQstatus(handle) == CONNECTION_BAD || PQexitPipelineMode(handle) != 1 {
            loseWith(libpqMessage: String(cString: PQerrorMessage(handle)))
        }
        finishExchange()
    }

    /// Sends what can be sent and takes in what has come. True when that was all, or when the wait is given up.
    private func advance(_ progress: inout PipelineProgress, _ wire: PipelineWire, _ handle: OpaquePointer)
        -> Bool
    {
        repeat {
            guard isUsable, !exchange.isAbandoned else { return true }
            if exchange.interruption != nil {
                // What is not sent never will be.
                if wire.isInSegment, !wire.sync(handle) { _ = sendFailure(handle) }
                progress.stop()
            }
            while !hasWriter, let step = progress.next() {
                let isSent =
                    switch step {
                    case .statement(let call): wire.send(call, handle)
                    case .sync: wire.sync(handle)
                    }
                guard isSent else {
                    // Of the protocol's limits all are checked before: only a dead connection takes nothing.
                    loseWith(libpqMessage: String(cString: PQerrorMessage(handle)))
                    return true
                }
                if wire.bytesSent > 32_768 {
                    wire.bytesSent = 0
                    flush()
                }
            }
            flush()
            switch wire.receive({ _ in cancelNext() }) {
            case .lost: return true
            case .done where progress.isAllSent:
                exchange.isComplete = true
                return true
            case .done where !hasWriter: continue
            case .done, .waiting: return false
            }
        } while true
    }

    /// The segment that was cancelled is over; if others are sent, they are cancelled too.
    private func cancelNext() {
        guard exchange.interruption != nil, let handle else { return }
        let number = exchange.number
        // The server obeys: each segment has the whole time.
        exchange.isCancelSent = false
        armGrace(number)
        guard !exchange.isCancelInFlight else { return }
        exchange.cancelTimer?.cancelIfActive()
        sendCancelRequest(handle, exchange: number)
    }

    /// Gives every statement its outcome and throws what concerns all.
    private func conclude(_ progress: PipelineProgress, _ wire: PipelineWire) throws {
        if exchange.isAbandoned { giveUp("pipeline") }
        if !isUsable {
            let error = lossError(exchange.interruption)
            let unanswered = wire.takeUnanswered()
            for call in unanswered { call.fail(error) }
            guard exchange.interruption != nil, unanswered.isEmpty else {
                for call in progress.calls where call.answer == nil { call.fail(interruptionError ?? error) }
                throw error
            }
        }
        guard let interruptionError else { return }
        var isHit = false
        for call in progress.calls {
            switch call.answer {
            case nil:
                // Never sent.
                call.fail(interruptionError)
                isHit = true
            case .failure(let error as PostgresError)?
            where error.sqlState == .queryCanceled
                || (error.underlying as? PostgresError)?.sqlState == .queryCanceled:
                call.fail(interruptionError)
                isHit = true
            default: break
            }
        }
        // As with a single statement: done in time is done.
        if isHit { throw interruptionError }
    }
}

/// How far a pipeline has got.
struct PipelineProgress {
    private let steps: [PipelineStep]
    private var position = 0
    private var end: Int

    init(_ steps: [PipelineStep]) {
        self.steps = steps
        end = steps.count
    }

    var isAllSent: Bool { position >= end }

    var calls: [PipelinedCall] {
        steps.compactMap { if case .statement(let call) = $0 { call } else { nil } }
    }

    mutating func next() -> PipelineStep? {
        guard position < end else { return nil }
        defer { position += 1 }
        return steps[position]
    }

    /// Lets nothing more be sent.
    mutating func stop() { end = min(end, position) }

    /// The last segment, when it failed because a prepared statement was stale; nil when another try could do harm: other
    /// segments would then have run before it that stand behind it, or part of it is committed.
    @ReactorActor
    func retry() -> [PipelineStep]? {
        let last = steps.dropLast().lastIndex { if case .sync = $0 { true } else { false } }
        let segment = steps[(last.map { $0 + 1 } ?? 0)...]
        var isStale = false
        for case .statement(let call) in segment {
            isStale = isStale || call.isStale
            if StatementKind(call.sql.text) == .transactionControl { return nil }
        }
        guard isStale else { return nil }
        for case .statement(let call) in segment {
            call.isPlain = call.isPlain || call.isStale
            call.isStale = false
            call.answer = nil
        }
        return Array(segment)
    }
}
