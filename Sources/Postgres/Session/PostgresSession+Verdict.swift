import CLibPQ
import ConnectionPools

extension PostgresSession {
    /// What the exchange came to: its result, or the error that tells most.
    ///
    /// An interruption is what it came to only when the server has said so: of a statement whose answer did not come nobody
    /// knows whether it took effect.
    func judge() throws -> LibPQResult {
        if exchange.isAbandoned { giveUp("statement") }
        // What was answered to the end is known, whatever has become of the connection.
        guard exchange.isComplete, let pointer = exchange.result else {
            if failure == nil, let handle { loseWith(libpqMessage: String(cString: PQerrorMessage(handle))) }
            throw lossError(exchange.interruption)
        }
        exchange.result = nil
        let result = LibPQResult(owning: pointer)
        switch result.status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return result
        case PGRES_COPY_OUT, PGRES_COPY_IN:
            if let interruptionError { throw interruptionError }
            throw PostgresError(
                .unexpectedResult, "COPY … TO STDOUT needs a call that receives rows: copyOut")
        default: throw error(of: result)
        }
    }

    private func error(of result: borrowing LibPQResult) -> any Error {
        guard let report = PostgresServerReport(result.pointer) else {
            let message = PQresultErrorMessage(result.pointer).map { String(cString: $0) } ?? ""
            guard let handle, PQstatus(handle) == CONNECTION_OK else {
                loseWith(libpqMessage: message)
                return lossError(exchange.interruption)
            }
            return PostgresError(.unexpectedResult, oneLine(message))
        }
        if report.severity == "FATAL" || report.severity == "PANIC" {
            lose(.lost(report), .of(report.sqlState))
            return lossError(exchange.interruption)
        }
        var error: any Error = PostgresError(.server, report.message, server: report)
        if report.sqlState == .queryCanceled, let interruptionError { error = interruptionError }
        if let error = error as? PostgresError { noteFailure(error) }
        return error
    }

    /// The server did not end in time what was to end: the connection is lost.
    func giveUp(_ what: String) {
        exchange.isAbandoned = false
        exchange.isCancelInFlight = false
        let limit = configuration.cancelGrace
        let message =
            if exchange.isComplete {
                "the request to cancel a \(what) that is over is still on its way after \(limit) and could hit another"
            } else if exchange.isJustAwaited {
                "the server did not answer within \(limit) of the interruption; whether the transaction was committed is not known"
            } else if !exchange.isCancelSent {
                "the request to cancel a \(what) did not reach the server within \(limit); whether it takes effect is not known"
            } else {
                "the server did not end a cancelled \(what) within \(limit); whether it took effect is not known"
            }
        lose(PostgresError(.connectionLost, message), .alone)
    }

    /// What a statement ends with that was sent and is not answered any more: whether it took effect is not known.
    ///
    /// - Parameter interruption: why it was to end, if it was.
    func lossError(_ interruption: Interruption?) -> PostgresError {
        var error = unusable
        // In the child of a fork it is the parent's statement, which goes on there.
        if error.code == .connectionClosed, !isInherited {
            error = PostgresError(
                .connectionLost,
                "the connection was closed under a statement; whether it took effect is not known",
                underlying: error)
        }
        if let interruption { error.underlying = interruption.error }
        return error
    }

    var interruptionError: (any Error)? { exchange.interruption?.error }

    func sendFailure(_ handle: OpaquePointer) -> any Error {
        noteSocket(nil)
        let message = String(cString: PQerrorMessage(handle))
        guard PQstatus(handle) == CONNECTION_BAD else {
            return PostgresError(.unexpectedResult, "the statement could not be sent: \(oneLine(message))")
        }
        loseWith(libpqMessage: message)
        return unusable
    }
}

extension Interruption {
    /// What its statement ends with that has certainly taken no effect.
    var error: any Error {
        switch self {
        case .cancelled: CancellationError()
        case .timedOut(let limit):
            PostgresError(.timedOut, "the statement did not finish within \(limit) and was cancelled")
        case .poolClosed: PostgresError(.poolClosed, "the pool is closing and has cancelled the statement")
        case .scopeEnded:
            PostgresError(
                .connectionClosed, "the scope that lent the connection has ended while it was read from")
        }
    }

    /// What its caller gets who does not see its statement's end.
    func outcomeUnknown(_ message: String) -> PostgresError {
        PostgresError(.outcomeUnknown, message, underlying: error)
    }
}
