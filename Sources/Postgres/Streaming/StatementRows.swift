import CLibPQ
import PostgresValues
import ReactorCore

/// The rows of one statement in single-row mode.
///
/// The statement is prepared even at its first use: two more round trips, for rows in binary.
@ReactorActor
final class StatementRows: RowSource {
    private let database: any PostgresDatabase
    private let sql: SQL
    private let timeout: Duration?
    private var feed: StatementFeed?
    private var gatherer = RowGatherer(columns: nil)
    private var hasStarted = false
    private var prepared: PreparedStatements.Key?

    init(_ database: any PostgresDatabase, _ sql: SQL, timeout: Duration?) {
        self.database = database
        self.sql = sql
        self.timeout = timeout
    }

    func nextBatch() async throws -> PostgresRows? {
        if !hasStarted {
            hasStarted = true
            try sql.validate()
            try await start()
        }
        guard let feed else { return nil }
        do {
            return try await feed.next { gatherer.take(feed.session, $0) }
        } catch let error as PostgresError where error.isStalePlan && gatherer.count == 0 {
            guard let key = prepared else { throw error }
            feed.session.statements.forget(key)
            // Inside a transaction the error has failed it; only the whole transaction can be tried again.
            guard feed.session.transactionStatus == PQTRANS_IDLE else { throw error }
            try await start(unprepared: true)
            return try await nextBatch()
        }
    }

    func abandon() { feed?.abandon() }

    func close() async { await feed?.close() }

    private func start(unprepared: Bool = false) async throws {
        let loan = try await database.lendSession()
        let session = loan.session
        let deadline = timeout.map { session.reactor.now.advanced(by: $0) }
        var statement: PreparedStatements.Statement?
        prepared = nil
        if !unprepared, session.statements.capacity > 0 {
            do {
                (statement, prepared) = try await session.preparedForStream(sql, until: deadline)
            } catch {
                loan.giveBack()
                throw error
            }
        }
        gatherer = RowGatherer(columns: statement?.columns)
        let sql = sql
        feed = try await StatementFeed(loan, timeout: session.remaining(until: deadline)) { handle in
            let isSent = session.parameters.withParameters(sql.parameters) {
                count, values, lengths, formats in
                if let statement {
                    PQsendQueryPrepared(
                        handle, statement.name, count, values, lengths, formats, statement.format.rawValue)
                } else {
                    PQsendQueryParams(
                        handle, sql.text, count, sql.parameters.map(\.oid.rawValue), values, lengths, formats,
                        0)
                }
            }
            return isSent == 1 ? PQsetSingleRowMode(handle) : 0
        }
    }
}

extension PostgresSession {
    fileprivate func preparedForStream(_ sql: SQL, until deadline: ReactorInstant?) async throws
        -> (PreparedStatements.Statement, PreparedStatements.Key)
    {
        let key = PreparedStatements.Key(sql)
        if case .prepared(let statement)? = statements.use(key) { return (statement, key) }
        return (try await prepare(sql, key, until: deadline), key)
    }
}
