import CLibPQ
import ConnectionPools

extension PostgresSession {
    /// What the exchange came to: its result, or the error that tells most.
    func judge(_ handle: OpaquePointer) throws -> LibPQResult {
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
            if let interruptionError { throw interruptionError }
            throw PostgresError(
                .unexpectedResult, "COPY … TO STDOUT needs a call that receives rows: copyOut")
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
    /// What its statement ends with.
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
}
