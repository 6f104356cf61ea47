import CLibPQ
import ConnectionPools
import ReactorCore

/// Why a statement under way is to end.
enum Interruption {
    case cancelled
    case timedOut(Duration)
    case poolClosed
}

/// What a session knows about the statement under way.
struct Exchange {
    var isUnderWay = false
    /// Tells a late interruption that its statement is over.
    var number: UInt64 = 0
    var interruption: Interruption?
    /// A cancel request is with a worker thread. Until it has returned it could hit the next statement.
    var isCancelInFlight = false
    /// The server did not end the cancelled statement in time.
    var isAbandoned = false
    /// Gives the session up when a cancelled statement does not end.
    var graceTimer: DelayedCall?
    /// The first error, else the last result.
    var result: OpaquePointer?
    /// Those who wait for the session to be free, oldest first.
    var queue: [Signal] = []
}

/// A cancel request on its way to a worker thread.
///
/// Unchecked: libpq allows PQcancel and PQfreeCancel on any thread, and the worker is the only user.
private struct CancelRequest: @unchecked Sendable {
    let pointer: OpaquePointer

    func sendAndFree() {
        // Its outcome does not matter: either the statement ends, or the grace period does.
        var complaint = [CChar](repeating: 0, count: 256)
        _ = PQcancel(pointer, &complaint, Int32(complaint.count))
        PQfreeCancel(pointer)
    }
}

extension PostgresSession {
    /// Sends by `send`, waits for the end of the answer, and returns the last result or throws the first error.
    ///
    /// When it returns or throws the session is free again: no answer is outstanding and no cancel request under way.
    func perform(
        timeout: Duration? = nil, isInterruptible: Bool = true, _ send: (OpaquePointer) -> Int32
    ) async throws -> LibPQResult {
        guard !exchange.isUnderWay else {
            throw PostgresError(
                .connectionBusy,
                "the connection runs another statement; give each greenlet its own by pool.withConnection")
        }
        guard let handle, failure == nil else { throw unusable }
        if isInterruptible {
            try Task.checkCancellation()
            if let condemned { throw condemned }
        }
        exchange.isUnderWay = true
        exchange.number += 1
        exchange.interruption = nil
        defer { finishExchange() }
        guard send(handle) == 1 else { throw sendFailure(handle) }
        flush()
        let number = exchange.number
        var timer: DelayedCall?
        if let timeout {
            timer = reactor.callLater(max(.zero, timeout)) { [weak self] in
                self?.interrupt(.timedOut(timeout), exchange: number)
            }
        }
        defer { timer?.cancelIfActive() }
        if isInterruptible {
            await withTaskCancellationHandler {
                await collect(handle)
            } onCancel: {
                interruptFromAnyThread(number)
            }
        } else {
            await collect(handle)
        }
        // A request that arrives late would cancel whatever comes next.
        while exchange.isCancelInFlight, !exchange.isAbandoned { await signal.wait() }
        return try judge(handle)
    }

    /// Parks until nothing is under way. For clean-up, which must not fail because somebody else is cleaning up.
    func waitUntilFree() async {
        while exchange.isUnderWay {
            let turn = Signal()
            exchange.queue.append(turn)
            await turn.wait()
        }
    }

    private func finishExchange() {
        if let result = exchange.result { PQclear(result) }
        exchange.result = nil
        exchange.graceTimer?.cancelIfActive()
        exchange.graceTimer = nil
        exchange.isUnderWay = false
        if !exchange.queue.isEmpty { exchange.queue.removeFirst().raise() }
    }

    // MARK: The answer

    private func collect(_ handle: OpaquePointer) async {
        while await waitUntilNotBusy(handle), let result = PQgetResult(handle) {
            noteSocket(nil)
            keep(result)
            switch PQresultStatus(result) {
            case PGRES_COPY_IN:
                // Ends as an error of the statement; the connection stays good.
                PQputCopyEnd(handle, "COPY FROM STDIN needs a call that sends rows")
                flush()
            case PGRES_COPY_OUT: await discardCopy(handle)
            case PGRES_COPY_BOTH:
                lose(PostgresError(.unexpectedResult, "replication connections are not supported"), .alone)
            default: break
            }
        }
        noteSocket(nil)
    }

    /// False when the wait is given up.
    private func waitUntilNotBusy(_ handle: OpaquePointer) async -> Bool {
        // Asked before waiting: TLS may hold rows that the socket no longer shows. On a dead connection
        // PQgetResult returns at once, with the reason.
        while failure == nil, !exchange.isAbandoned, self.handle != nil, PQstatus(handle) == CONNECTION_OK,
            PQisBusy(handle) != 0
        {
            await signal.wait()
        }
        return failure == nil && !exchange.isAbandoned && self.handle != nil
    }

    private func keep(_ result: OpaquePointer) {
        if let kept = exchange.result {
            if isError(PQresultStatus(kept)) || PQresultStatus(kept) == PGRES_COPY_OUT {
                PQclear(result)
                return
            }
            PQclear(kept)
        }
        exchange.result = result
    }

    private func isError(_ status: ExecStatusType) -> Bool {
        status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY
            && status != PGRES_COPY_IN && status != PGRES_COPY_OUT
    }

    private func discardCopy(_ handle: OpaquePointer) async {
        while failure == nil, !exchange.isAbandoned, self.handle != nil {
            var buffer: UnsafeMutablePointer<CChar>?
            let length = PQgetCopyData(handle, &buffer, 1)
            PQfreemem(buffer)
            if length < 0 { return }
            if length == 0 { await signal.wait() }
        }
    }

    // MARK: The verdict

    private func judge(_ handle: OpaquePointer) throws -> LibPQResult {
        if exchange.isAbandoned {
            exchange.isAbandoned = false
            exchange.isCancelInFlight = false
            lose(
                PostgresError(
                    .connectionLost,
                    "the server did not end a cancelled statement within \(configuration.cancelGrace)"),
                .alone)
            throw interruptionError ?? unusable
        }
        guard self.handle != nil else { throw interruptionError ?? unusable }
        guard let pointer = exchange.result else {
            if failure == nil { loseWith(libpqMessage: String(cString: PQerrorMessage(handle))) }
            throw unusable
        }
        exchange.result = nil
        let result = LibPQResult(owning: pointer)
        switch result.status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return result
        case PGRES_COPY_OUT, PGRES_COPY_IN:
            throw PostgresError(.unexpectedResult, "COPY … TO STDOUT needs a call that receives rows")
        default: throw error(of: result, handle)
        }
    }

    private func error(of result: borrowing LibPQResult, _ handle: OpaquePointer) -> any Error {
        guard let report = PostgresServerReport(result.pointer) else {
            let message = PQresultErrorMessage(result.pointer).map { String(cString: $0) } ?? ""
            if PQstatus(handle) == CONNECTION_BAD {
                loseWith(libpqMessage: message)
                return interruptionError ?? unusable
            }
            return PostgresError(.unexpectedResult, oneLine(message))
        }
        if report.severity == "FATAL" || report.severity == "PANIC" {
            lose(.lost(report), .of(report.sqlState))
            return unusable
        }
        if report.sqlState == .queryCanceled, let interruptionError { return interruptionError }
        return PostgresError(.server, report.message, server: report)
    }

    private var interruptionError: (any Error)? {
        switch exchange.interruption {
        case nil: nil
        case .cancelled: CancellationError()
        case .timedOut(let limit):
            PostgresError(.timedOut, "the statement did not finish within \(limit) and was cancelled")
        case .poolClosed: PostgresError(.poolClosed, "the pool is closing and has cancelled the statement")
        }
    }

    private func sendFailure(_ handle: OpaquePointer) -> any Error {
        noteSocket(nil)
        let message = String(cString: PQerrorMessage(handle))
        guard PQstatus(handle) == CONNECTION_BAD else {
            return PostgresError(.unexpectedResult, "the statement could not be sent: \(oneLine(message))")
        }
        loseWith(libpqMessage: message)
        return unusable
    }

    // MARK: Interruption

    /// Cancels the statement under way on the server. Does nothing when that statement is over.
    func interrupt(_ reason: Interruption, exchange number: UInt64) {
        guard exchange.isUnderWay, exchange.number == number, exchange.interruption == nil, let handle else {
            return
        }
        exchange.interruption = reason
        exchange.graceTimer = reactor.callLater(configuration.cancelGrace) { [weak self] in
            self?.abandon(exchange: number)
        }
        guard let pointer = PQgetCancel(handle) else { return }
        let request = CancelRequest(pointer: pointer)
        let reactor = reactor
        exchange.isCancelInFlight = true
        do {
            // PQcancel blocks, for a whole connect time-out on a bad network.
            try reactor.threadPool.submit {
                request.sendAndFree()
                reactor.callFromThread { self.cancelReturned(exchange: number) }
            }
        } catch {
            PQfreeCancel(pointer)
            exchange.isCancelInFlight = false
        }
    }

    /// Cancels the statement under way, if any, and refuses further ones; ROLLBACK still goes through.
    func condemn(_ reason: PostgresError, _ interruption: Interruption) {
        condemned = reason
        interrupt(interruption, exchange: exchange.number)
    }

    private func cancelReturned(exchange number: UInt64) {
        guard exchange.number == number else { return }
        exchange.isCancelInFlight = false
        signal.raise()
    }

    private func abandon(exchange number: UInt64) {
        guard exchange.isUnderWay, exchange.number == number else { return }
        exchange.isAbandoned = true
        signal.raise()
    }

    private nonisolated func interruptFromAnyThread(_ number: UInt64) {
        if reactor.isOnReactorThread {
            ReactorActor.assumeIsolated { interrupt(.cancelled, exchange: number) }
        } else {
            reactor.callFromThread { self.interrupt(.cancelled, exchange: number) }
        }
    }
}
