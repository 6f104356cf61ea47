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

    /// Whether the server gave the transaction up for another's sake, seen in the error or in one that was swallowed or that the
    /// body has replaced by its own. To be asked before the rollback.
    func isVictim(by error: any Error) -> Bool {
        var cause = error as? PostgresError
        while let outer = cause, outer.code == .transactionRolledBack || outer.code == .pipelineAborted,
            let reason = outer.underlying as? PostgresError
        {
            cause = reason
        }
        // An interruption is no answer to a failure.
        let isAnswer = cause == nil && !(error is CancellationError)
        if isAnswer || cause?.sqlState == .inFailedSQLTransaction { cause = transactionFailure ?? cause }
        return cause?.sqlState == .serializationFailure || cause?.sqlState == .deadlockDetected
    }
}
