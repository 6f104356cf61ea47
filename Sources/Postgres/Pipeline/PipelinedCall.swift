import ConnectionPools
import PostgresValues
import ReactorCore

/// One statement on its way through a pipeline, and what it came to.
@ReactorActor
final class PipelinedCall {
    let sql: SQL
    let fingerprint: UInt64
    /// What the server has answered, provisional until its segment is over: the segment may still fail as a whole.
    var answer: Result<PostgresRows, any Error>?
    /// The answer was found by a prepared statement that is stale.
    var isStale = false
    /// It goes out as it is written: a prepared form of it was stale.
    var isPlain = false
    /// It is not run, only described: its answer has columns and no rows.
    var isDescription = false
    /// The OID of the table that the first column of a description is of; 0: of none.
    var table: UInt32 = 0
    /// Set for statements that share a connection: their callers' side.
    var sharing = Sharing()

    /// What a caller waits for, whose statement shares a connection.
    struct Sharing {
        var ticket: MultiplexTicket?
        var timeout: Duration?
        var timer: DelayedCall?
        /// Why its caller leaves, when it does.
        var interruption: Interruption?
        var parked: UnsafeContinuation<Void, Never>?
        var outcome: Result<PostgresRows, any Error>?
        var hasBeenRerun = false
    }

    init(_ sql: SQL, _ fingerprint: UInt64) {
        self.sql = sql
        self.fingerprint = fingerprint
    }

    /// The rows; throws what the statement failed by.
    func result() throws -> PostgresRows {
        guard let answer else { throw PostgresError.notYetSent }
        return try answer.get()
    }

    /// Whether it changes nothing, as far as its text tells.
    var isRead: Bool { StatementKind.isPlainRead(sql.text) }

    func fail(_ error: any Error) { answer = .failure(error) }

    var hasFailed: Bool {
        if case .failure? = answer { true } else { false }
    }
}

extension PostgresError.Code {
    /// A statement of a pipeline was not run, because one before it in its segment had failed; `underlying` is that error.
    public static let pipelineAborted = Self(description: "pipelineAborted")
    /// The value of a pipelined statement was read before `flush()`.
    public static let pipelinePending = Self(description: "pipelinePending")
}

extension Interruption {
    /// What the caller of a statement gets who leaves it on a shared connection.
    var leftBehind: PostgresError {
        outcomeUnknown("a statement was left on a shared connection, behind others; it may still take effect")
    }
}

extension PostgresError {
    static var notYetSent: PostgresError {
        PostgresError(
            .pipelinePending,
            "a pipelined statement has no value yet; read it after flush() or when the pipeline has ended")
    }

    static func aborted(by cause: any Error) -> PostgresError {
        PostgresError(
            .pipelineAborted,
            "the statement was not run or has been undone: another one of its pipeline segment failed: \(cause)",
            underlying: cause)
    }
}
