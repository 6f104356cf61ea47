import CLibPQ

// Why a transaction has failed is the session's to know: its statements come by many ways, as queries, streams, COPY, pipelines and
// scripts, from whoever uses the connection, and what a savepoint has undone is no reason any more.

extension PostgresSession {
    /// The server has refused a statement. The first error since the transaction was last good is kept; those behind it only
    /// complain of that.
    func noteFailure(_ error: PostgresError) {
        if transactionFailure == nil, error.sqlState != .inFailedSQLTransaction { transactionFailure = error }
    }

    /// Forgets what has failed no transaction, or one that is good again. For when nothing is under way.
    @inline(__always)
    func settleFailure() {
        if transactionFailure != nil, transactionStatus != PQTRANS_INERROR { transactionFailure = nil }
    }

    /// Whether the server gave the transaction up for another's sake, seen in the error or in one that was swallowed. To be asked
    /// before the rollback.
    func isVictim(by error: any Error) -> Bool {
        guard var cause = error as? PostgresError else { return false }
        while cause.code == .transactionRolledBack || cause.code == .pipelineAborted,
            let reason = cause.underlying as? PostgresError
        {
            cause = reason
        }
        if cause.sqlState == .inFailedSQLTransaction, let transactionFailure { cause = transactionFailure }
        return cause.sqlState == .serializationFailure || cause.sqlState == .deadlockDetected
    }
}
