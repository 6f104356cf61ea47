import Greenlets
public import PostgresValues
public import ReactorCore

/// Statements that go to the server together: one round trip for all of them.
///
/// ```swift
/// let (title, count) = try await db.pipeline {
///     ($0.one(String.self, "SELECT title FROM film WHERE id = \(id)"), $0.one(Int.self, "SELECT count(*) FROM actor"))
/// }
/// ```
/// With values between the trips, and errors by statement:
/// ```swift
/// try await db.withPipeline { pipeline in
///     let film = pipeline.one(Int.self, "INSERT INTO film (title) VALUES (\(title)) RETURNING id")
///     let log = pipeline.execute("INSERT INTO log VALUES (\(title))")
///     try await pipeline.flush()
///     print(try film.value, try log.value)
/// }
/// ```
/// What stands between two `sync()` or `flush()` is a *segment*, which the server runs as one transaction: all of it takes
/// effect or nothing. The statement that fails gets the server's error, the others of its segment `pipelineAborted`, which names
/// that one; the next segment runs. Inside a transaction an error fails the transaction, as always, and with it the segments behind.
/// A statement that cannot be sent, for a value that cannot be bound say, fails its segment too, of which nothing is sent then.
///
/// COPY cannot go down a pipeline, nor can a text of several statements.
@ReactorActor
public final class PostgresPipeline {
    private let session: PostgresSession
    private var steps: [PipelineStep] = []
    /// All statements in order, but those of long ago that went well.
    private var statements: [any PipelinedStatement] = []
    private var isOver = false
    /// Why nothing of the segment that is being queued will be sent.
    private var refusal: (any Error)?

    init(_ session: PostgresSession) { self.session = session }

    /// Queues a statement; its rows can be read when it has been flushed. Never waits.
    @discardableResult
    public func query(_ sql: SQL) -> Pipelined<PostgresRows> { add(sql) { $0 } }

    /// Queues a statement; the number of rows that it touches can be read when it has been flushed. Never waits.
    @discardableResult
    public func execute(_ sql: SQL) -> Pipelined<Int> { add(sql) { $0.affectedRows } }

    /// Queues a statement of one row; the first value can be read when it has been flushed. Never waits.
    public func one<Value: PostgresDecodable & Sendable>(_ type: Value.Type, _ sql: SQL) -> Pipelined<Value> {
        add(sql) { try $0.onlyValue(Value.self) }
    }

    /// Queues a statement of one row; the first value can be read, as what the context wants, when it has been flushed.
    public func one<Value: PostgresDecodable & Sendable>(_ sql: SQL) -> Pipelined<Value> {
        add(sql) { try $0.onlyValue(Value.self) }
    }

    /// Ends a segment: what follows succeeds or fails by itself. Never waits.
    public func sync() {
        refusal = nil
        if case .statement? = steps.last { steps.append(.sync) }
    }

    /// Sends what is queued and parks the calling task until all of it is answered. Ends the segment.
    ///
    /// Cancelling the task cancels what runs on the server, sends nothing more, and waits until the server has ended;
    /// the connection stays usable. Segments that had ended by then stay in effect.
    /// - Parameter timeout: after this long it is cancelled in the same way.
    /// - Throws: what concerns the whole: `timedOut`, `connectionLost`, `CancellationError`. Errors of single statements are
    ///   thrown where their values are read.
    public func flush(timeout: Duration? = nil) async throws {
        guard !isOver else {
            throw PostgresError(
                .transactionFinished, "the pipeline was used after the withPipeline that made it had ended")
        }
        sync()
        let steps = steps
        self.steps.removeAll()
        // What went well need not be kept for the end.
        if statements.count > 1000 { statements.removeAll { $0.error == nil } }
        guard !steps.isEmpty else { return }
        let start = session.reactor.now
        defer { session.tellOfPipeline(steps, since: start) }
        do { try await session.runPipeline(steps, timeout: timeout) } catch {
            for case .statement(let call) in steps where call.answer == nil { call.fail(error) }
            throw error
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func flush(timeout: Duration? = nil) throws {
        try Greenlet.blockingCall { try await self.flush(timeout: timeout) }
    }

    private func add<Value: Sendable>(
        _ sql: SQL, _ read: @escaping @Sendable (PostgresRows) throws -> Value
    ) -> Pipelined<Value> {
        let call = PipelinedCall(sql, sql.fingerprint)
        let statement = Pipelined(call, read)
        statements.append(statement)
        do {
            try sql.validate()
            if isOver {
                throw PostgresError(
                    .transactionFinished,
                    "the pipeline was used after the withPipeline that made it had ended")
            }
            try session.checkKeepsNothing(sql.text)
            try session.checkPlaces(sql)
            if StatementKind(sql.text) == .copy {
                throw PostgresError(
                    .unexpectedResult,
                    "COPY cannot go down a pipeline: it needs the connection to itself; run it by a call of its own"
                )
            }
            if let refusal {
                call.fail(PostgresError.aborted(by: refusal))
            } else {
                steps.append(.statement(call))
            }
        } catch {
            call.fail(error)
            refuseSegment(error)
        }
        return statement
    }

    /// A statement of the segment is never sent, so the others must not be.
    private func refuseSegment(_ error: any Error) {
        if refusal == nil { refusal = error }
        while case .statement(let call)? = steps.last {
            call.fail(PostgresError.aborted(by: error))
            steps.removeLast()
        }
    }

    /// Throws the first error in the order of the statements; rather one of the server's than that another was undone for it.
    func throwFirstError(unreadOnly: Bool = false) throws {
        var first: (any Error)?
        for statement in statements where !(unreadOnly && statement.isRead) {
            guard let error = statement.error else { continue }
            if (error as? PostgresError)?.code != .pipelineAborted { throw error }
            first = first ?? error
        }
        if let first { throw first }
    }

    /// Sends the rest. Throws the first error of a statement whose value nobody has asked for.
    func end() async throws {
        try await flush()
        try throwFirstError(unreadOnly: true)
    }

    func close() { isOver = true }
}

extension PostgresRows {
    /// The first value of the only row.
    func onlyValue<Value: PostgresDecodable>(_ type: Value.Type) throws -> Value {
        guard count == 1 else {
            throw PostgresError(
                .unexpectedResult, "one row was expected and \(count) came; use query for any number")
        }
        return try self[0].decode(type, at: 0)
    }
}
