import CLibPQ
import CLinux
import ConnectionPools
import PostgresValues
import ReactorCore

/// One connection that statements share: a pipeline in which each is a segment of its own.
@ReactorActor
final class MultiplexedLine {
    let session: PostgresSession
    private let place: MultiplexLine
    private unowned let multiplexer: Multiplexer
    private let wire: PipelineWire
    private var isOver = false
    private var hasUnpushed = false
    /// TLS and GSS must meet no socket that takes nothing for no reason.
    private let isCorkable: Bool

    init(_ place: MultiplexLine, _ session: PostgresSession, _ multiplexer: Multiplexer) {
        self.place = place
        self.session = session
        self.multiplexer = multiplexer
        wire = PipelineWire(session)
        isCorkable = session.handle.map { PQsslInUse($0) == 0 && PQgssEncInUse($0) == 0 } ?? false
    }

    /// Takes in answers until the line is given up or lost.
    func run() async {
        while !advance() {
            if !session.signal.take() { await withUnsafeContinuation { session.signal.park($0) } }
        }
    }

    /// Nothing is outstanding, and the line is given up.
    func end() {
        isOver = true
        session.signal.raise()
    }

    // MARK: Sending

    /// Queues a statement; `push` sends it, with all others of its turn.
    func send(_ call: PipelinedCall) {
        // libpq 15 would send each by itself, at its sync.
        if isCorkable { clinux_cork(session.descriptor) }
        defer { clinux_uncork() }
        guard let handle = session.handle, session.failure == nil else { return lose(unsent: 1) }
        if session.statements.condemned.count >= 16, !wire.deallocateCondemned(handle) {
            return lose(unsent: 1)
        }
        guard wire.send(call, handle) else {
            session.loseWith(libpqMessage: String(cString: PQerrorMessage(handle)))
            return lose(unsent: 1)
        }
        if !wire.sync(handle) { session.loseWith(libpqMessage: String(cString: PQerrorMessage(handle))) }
        hasUnpushed = true
        multiplexer.totals.statements += 1
        // Not corked, libpq has sent the statement at its sync.
        if !isCorkable { multiplexer.totals.batches += 1 }
        let outstanding = multiplexer.machine.outstanding(on: place)
        if outstanding > multiplexer.totals.longestPipeline {
            multiplexer.totals.longestPipeline = outstanding
        }
        if wire.bytesSent > 32_768 {
            clinux_uncork()
            push()
        }
        if let timeout = call.sharing.timeout, call.sharing.timer == nil {
            let multiplexer = multiplexer
            call.sharing.timer = session.reactor.callLater(max(.zero, timeout)) {
                multiplexer.leave(call, .timedOut(timeout))
            }
        }
    }

    /// Sends what is queued, and the rest when the socket takes it.
    func push() {
        guard hasUnpushed else { return }
        hasUnpushed = false
        wire.bytesSent = 0
        if isCorkable { multiplexer.totals.batches += 1 }
        session.flush()
    }

    // MARK: Receiving

    /// Takes in what has come. True when the line is over.
    private func advance() -> Bool {
        if isOver { return true }
        // What one read brings has come together.
        let now = multiplexer.pool.now
        if wire.receive({ calls in answered(calls[0], at: now) }) == .lost || session.exchange.isAbandoned {
            lose(unsent: 0)
            return true
        }
        if session.handle.map({ PQstatus($0) }) != CONNECTION_OK {
            session.loseWith(libpqMessage: "the server closed the connection")
            lose(unsent: 0)
            return true
        }
        if multiplexer.machine.isCancelToSettle(place), !session.exchange.isCancelInFlight {
            session.renewExchange()
            multiplexer.machine.cancelSettled(place)
        }
        if let condemned = session.condemned, session.exchange.interruption == nil,
            multiplexer.machine.outstanding(on: place) > 0
        {
            session.condemn(condemned, .poolClosed)
        }
        if multiplexer.machine.waiting > 0 { multiplexer.schedulePump() }
        isOver = multiplexer.machine.takeRelease(place)
        return isOver
    }

    private func answered(_ call: PipelinedCall, at now: Duration) {
        let error = call.error
        var end = MultiplexEnd.answered
        if error?.sqlState == .queryCanceled { end = .cancelled }
        if call.isStale, !call.sharing.hasBeenRerun { end = .stale }
        let (verdict, duration) = multiplexer.machine.answered(place, end, at: now)
        if multiplexer.machine.isCancelToSettle(place) { session.stopCancelling() }
        switch verdict {
        case .deliver:
            multiplexer.note(call.fingerprint, duration)
            call.finish(outcome(of: call, error))
        case .drop: multiplexer.note(call.fingerprint, duration)
        case .rerun:
            call.sharing.hasBeenRerun = call.sharing.hasBeenRerun || call.isStale
            call.isPlain = call.isPlain || call.isStale
            call.isStale = false
            call.answer = nil
            multiplexer.totals.reruns += 1
        }
    }

    private func outcome(of call: PipelinedCall, _ error: PostgresError?) -> Result<PostgresRows, any Error> {
        if error?.sqlState == .queryCanceled {
            if let interruption = call.sharing.interruption { return .failure(interruption.error) }
            if session.condemned != nil { return .failure(Interruption.poolClosed.error) }
        }
        return call.answer ?? .failure(PostgresError.notYetSent)
    }

    // MARK: Ends

    /// Asks the server to cancel what the line runs.
    func requestCancel() {
        session.interrupt(.cancelled, exchange: session.exchange.number)
    }

    /// The connection is lost, and with it the answers to what was sent.
    private func lose(unsent: Int) {
        guard !isOver else { return }
        isOver = true
        if session.exchange.isAbandoned { session.giveUp("statement") }
        let closing = session.condemned.map { _ in Interruption.poolClosed }
        for call in multiplexer.machine.lineLost(place, unsent: unsent) {
            call.finish(.failure(session.lossError(call.sharing.interruption ?? closing)))
        }
        session.signal.raise()
        multiplexer.schedulePump()
    }
}

extension PipelinedCall {
    /// What it failed by, if by something of the server's.
    var error: PostgresError? {
        if case .failure(let error as PostgresError)? = answer { error } else { nil }
    }
}
