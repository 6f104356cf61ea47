import CLibPQ
import PostgresValues
import ReactorCore

extension PostgresSession {
    /// Runs one statement by the extended protocol.
    ///
    /// The first use of a statement goes unprepared, the second prepares it in the same round trip, later ones only bind.
    /// These have their result in binary when every column has a binary decoder, in text otherwise.
    @inline(__always)
    func query(_ sql: SQL, timeout: Duration?) async throws -> PostgresRows {
        try sql.validate()
        try checkKeepsNothing(sql.text)
        if isObserved {
            return try await observed(sql.text, \.affectedRows) { try await answer(to: sql, timeout) }
        }
        return try await answer(to: sql, timeout)
    }

    @inline(__always)
    private func answer(to sql: SQL, _ timeout: Duration?) async throws -> PostgresRows {
        guard statements.capacity > 0, !exchange.isUnderWay else {
            try checkPlaces(sql)
            return try await runUnprepared(sql, timeout)
        }
        let fingerprint = sql.fingerprint
        switch statements.use(sql, fingerprint) {
        case .first:
            try checkPlaces(sql)
            return try await runUnprepared(sql, timeout)
        case .prepared(let statement):
            guard let columns = statement.columns else { return try await runUnprepared(sql, timeout) }
            return try await run(statement, columns, sql, fingerprint, timeout)
        case .again:
            try checkPlaces(sql)
            guard sql.isWorthPreparing else { return try await runUnprepared(sql, timeout) }
            let call = PipelinedCall(sql, fingerprint)
            try await runPipeline([.statement(call), .sync], timeout: timeout)
            return try call.result()
        }
    }

    /// Refuses a statement that is new to the session when one of its values would not be bound. One that is prepared has been
    /// looked at.
    func checkPlaces(_ sql: SQL) throws(PostgresValueError) {
        guard let mistake = sql.misplacedValue, let handle else { return }
        // With backslashes in any quotes one cannot tell.
        let setting = PQparameterStatus(handle, "standard_conforming_strings").map { String(cString: $0) }
        if setting == "on" { throw mistake }
    }

    /// Runs a text of any number of statements by the simple protocol; without BEGIN in it they are one transaction.
    func script(
        _ text: String, timeout: Duration? = nil, ifInterrupted policy: InterruptionPolicy = .cancel
    ) async throws -> String {
        if text.utf8.contains(0) {
            throw PostgresValueError(.nulCharacter, "the statement contains U+0000")
        }
        try checkKeepsNothing(text)
        noteStatement(text, mayRepeat: false)
        if isObserved {
            return try await observed(text, { _ in 0 }) {
                try await run(text, timeout: timeout, policy)
            }
        }
        return try await run(text, timeout: timeout, policy)
    }

    private func run(
        _ script: String, timeout: Duration?, _ policy: InterruptionPolicy
    ) async throws -> String {
        try await perform(timeout: timeout, ifInterrupted: policy) { PQsendQuery($0, script) }.commandTag
    }

    private func runUnprepared(_ sql: SQL, _ timeout: Duration?) async throws -> PostgresRows {
        try await perform(timeout: timeout) { sendUnprepared(sql, $0) }.rows()
    }

    @inline(__always)
    private func run(
        _ statement: PreparedStatement, _ columns: PostgresColumns, _ sql: SQL, _ fingerprint: UInt64,
        _ timeout: Duration?
    ) async throws -> PostgresRows {
        let deadline = timeout.map { reactor.now.advanced(by: $0) }
        do {
            return try await perform(timeout: timeout) {
                sendPrepared(statement.name, sql, statement.format, $0)
            }.rows(columns)
        } catch let error as PostgresError where error.isOfStalePlan(of: sql) {
            statements.forget(statement, fingerprint, isKnown: error.sqlState != .invalidSQLStatementName)
            if error.sqlState == .invalidSQLStatementName { suspectPooler() }
            // Inside a transaction the error has failed it; only the whole transaction can be tried again.
            guard transactionStatus == PQTRANS_IDLE else { throw error }
            return try await runUnprepared(sql, remaining(until: deadline))
        }
    }

    /// Prepares a statement that has been seen, without running it: two round trips.
    func prepare(
        _ sql: SQL, _ fingerprint: UInt64, until deadline: ReactorInstant?
    ) async throws -> PreparedStatement {
        // What it may leave behind is looked for now; sent as a prepared one, it counts as known.
        dirt.note(sql.text)
        let statement = statements.prepare(fingerprint, segment: segments)
        let types = sql.parameters.map(\.oid.rawValue)
        do {
            _ = try await perform(timeout: remaining(until: deadline)) {
                PQsendPrepare($0, statement.name, sql.text, Int32(types.count), types)
            }
        } catch {
            statements.revert(statement, fingerprint)
            throw error
        }
        do {
            let described = try await perform(timeout: remaining(until: deadline)) {
                PQsendDescribePrepared($0, statement.name)
            }
            statement.describe(described.columns)
        } catch {
            statements.forget(statement, fingerprint, isKnown: true)
            throw error
        }
        return statement
    }

    /// Lets the server forget what is not wanted any more, once that is worth a round trip. What goes down a pipeline outside
    /// transactions sees to it by itself; not what is prepared in them, and for streams.
    func forgetCondemned(until deadline: ReactorInstant? = nil) async throws {
        guard statements.condemned.count >= 16 else { return }
        await waitForCleanUp()
        guard transactionStatus == PQTRANS_IDLE else { return }
        try await runPipeline([.sync], timeout: remaining(until: deadline))
    }

    func remaining(until deadline: ReactorInstant?) -> Duration? {
        deadline.map { max(.zero, reactor.now.duration(to: $0)) }
    }

    // MARK: Sending

    func sendUnprepared(_ sql: SQL, _ handle: OpaquePointer) -> Int32 {
        noteStatement(sql.text, mayRepeat: statements.capacity > 0)
        let types = sql.parameters.map(\.oid.rawValue)
        return parameters.withParameters(sql.parameters) { count, values, lengths, formats in
            PQsendQueryParams(handle, sql.text, count, types, values, lengths, formats, 0)
        }
    }

    func sendPrepared(_ name: String, _ sql: SQL, _ format: PostgresFormat, _ handle: OpaquePointer) -> Int32
    {
        noteStatement(sql.text, isKnown: true)
        return parameters.withParameters(sql.parameters) { count, values, lengths, formats in
            PQsendQueryPrepared(handle, name, count, values, lengths, formats, format.rawValue)
        }
    }
}
