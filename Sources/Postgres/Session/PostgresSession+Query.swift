import CLibPQ
import PostgresValues
import ReactorCore

extension PostgresSession {
    /// Runs one statement by the extended protocol.
    ///
    /// The first use of a statement goes unprepared, the second prepares it, later ones only bind. A result comes
    /// in binary when every column of a prepared statement has a binary decoder, in text otherwise.
    func query(_ sql: SQL, timeout: Duration?) async throws -> PostgresRows {
        try sql.validate()
        guard statements.capacity > 0 else { return try await runUnprepared(sql, timeout) }
        let key = PreparedStatements.Key(sql)
        let deadline = timeout.map { reactor.now.advanced(by: $0) }
        switch statements.use(key) {
        case nil: return try await runUnprepared(sql, timeout)
        case .prepared(let statement):
            return try await run(statement, sql, key, timeout: timeout, until: deadline)
        case .seenOnce:
            let statement = try await prepare(sql, key, until: deadline)
            return try await run(statement, sql, key, timeout: remaining(until: deadline), until: deadline)
        }
    }

    /// Runs a text of any number of statements by the simple protocol; without BEGIN in it they are one transaction.
    func script(_ text: String, timeout: Duration? = nil, isInterruptible: Bool = true) async throws -> String
    {
        if text.utf8.contains(0) {
            throw PostgresValueError(.nulCharacter, "the statement contains U+0000")
        }
        return try await perform(timeout: timeout, isInterruptible: isInterruptible) { PQsendQuery($0, text) }
            .commandTag
    }

    // MARK: Unprepared

    private func runUnprepared(_ sql: SQL, _ timeout: Duration?) async throws -> PostgresRows {
        let types = sql.parameters.map(\.oid.rawValue)
        return try await perform(timeout: timeout) { handle in
            parameters.withParameters(sql.parameters) { count, values, lengths, formats in
                PQsendQueryParams(handle, sql.text, count, types, values, lengths, formats, 0)
            }
        }.rows()
    }

    // MARK: Prepared

    func prepare(
        _ sql: SQL, _ key: PreparedStatements.Key, until deadline: ReactorInstant?
    ) async throws -> PreparedStatements.Statement {
        try await deallocateCondemned(until: deadline)
        let name = statements.makeName()
        _ = try await perform(timeout: remaining(until: deadline)) { handle in
            PQsendPrepare(handle, name, sql.text, Int32(key.types.count), key.types)
        }
        let described = try await perform(timeout: remaining(until: deadline)) {
            PQsendDescribePrepared($0, name)
        }
        let columns = described.columns
        let format: PostgresFormat = columns.allSatisfy(\.oid.hasBinaryDecoder) ? .binary : .text
        let statement = PreparedStatements.Statement(
            name: name,
            columns: PostgresColumns(
                columns.map { PostgresColumn(name: $0.name, oid: $0.oid, format: format, index: $0.index) }),
            format: format)
        statements.remember(statement, for: key)
        return statement
    }

    private func run(
        _ statement: PreparedStatements.Statement, _ sql: SQL, _ key: PreparedStatements.Key,
        timeout: Duration?,
        until deadline: ReactorInstant?
    ) async throws -> PostgresRows {
        do {
            return try await perform(timeout: timeout) { handle in
                parameters.withParameters(sql.parameters) { count, values, lengths, formats in
                    PQsendQueryPrepared(
                        handle, statement.name, count, values, lengths, formats, statement.format.rawValue)
                }
            }.rows(statement.columns)
        } catch let error as PostgresError where error.isStalePlan {
            statements.forget(key)
            // Inside a transaction the error has failed it; only the whole transaction can be tried again.
            guard transactionStatus == PQTRANS_IDLE else { throw error }
            return try await runUnprepared(sql, remaining(until: deadline))
        }
    }

    /// Lets the server forget statements that were evicted or are stale. Outside transactions only: a name that the
    /// server does not know any more would fail one.
    private func deallocateCondemned(until deadline: ReactorInstant?) async throws {
        let names = statements.condemned
        guard !names.isEmpty, transactionStatus == PQTRANS_IDLE else { return }
        statements.clearCondemned()
        for name in names {
            do {
                _ = try await script("DEALLOCATE \(name)", timeout: remaining(until: deadline))
            } catch let error as PostgresError where error.sqlState == .invalidSQLStatementName {
                // It has forgotten by itself.
            }
        }
    }

    func remaining(until deadline: ReactorInstant?) -> Duration? {
        deadline.map { max(.zero, reactor.now.duration(to: $0)) }
    }
}
