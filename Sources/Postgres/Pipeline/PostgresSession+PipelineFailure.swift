import CLibPQ
import ConnectionPools

extension PostgresSession {
    /// The error that a result tells; when the connection is over, it is noted as lost.
    func pipelineFailure(_ result: borrowing LibPQResult) -> any Error {
        guard let report = PostgresServerReport(result.pointer) else {
            let message = PQresultErrorMessage(result.pointer).map { String(cString: $0) } ?? ""
            guard let handle, PQstatus(handle) == CONNECTION_OK else {
                loseWith(libpqMessage: message)
                return unusable
            }
            return PostgresError(.unexpectedResult, oneLine(message))
        }
        if report.severity == "FATAL" || report.severity == "PANIC" {
            lose(.lost(report), .of(report.sqlState))
            return unusable
        }
        let error = PostgresError(.server, report.message, server: report)
        noteFailure(error)
        return error
    }
}
