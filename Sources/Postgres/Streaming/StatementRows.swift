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
    private var isStarting = false
    private var prepared: PreparedStatement?

    init(_ database: any PostgresDatabase, _ sql: SQL, timeout: Duration?) {
        self.database = database
        self.sql = sql
        self.timeout = timeout
    }

    func nextBatch() async throws -> PostgresRows? {
        guard !isStarting else { throw PostgresError.isReadTwice }
        if !hasStarted {
            hasStarted = true
            try sql.validate()
            try await start()
        }
        guard let feed else { return nil }
        do {
            return try await feed.next { gatherer.take(feed.session, $0) }
        } catch let error as PostgresError where error.isOfStalePlan(of: sql) && gatherer.count == 0 {
            guard let statement = prepared else { throw error }
            feed.session.statements.forget(
                statement, sql.fingerprint, isKnown: error.sqlState != .invalidSQLStatementName)
            // Inside a transaction the error has failed it; only the whole transaction can be tried again.
            guard feed.session.transactionStatus == PQTRANS_IDLE else { throw error }
            try await start(unprepared: true)
            return try await nextBatch()
        }
    }

    func abandon() { feed?.abandon() }

    func close() async { await feed?.close() }

    private func start(unprepared: Bool = false) async throws {
        isStarting = true
        defer { isStarting = false }
        let loan = try await database.lendSession()
        let session = loan.session
        do { try session.checkPlaces(sql) } catch {
            loan.giveBack()
            throw error
        }
        let deadline = timeout.map { session.reactor.now.advanced(by: $0) }
        prepared = nil
        if !unprepared, session.statements.capacity > 0 {
            do {
                prepared = try await session.preparedForStream(sql, until: deadline)
            } catch {
                loan.giveBack()
                throw error
            }
        }
        gatherer = RowGatherer(columns: prepared?.columns)
        let (sql, statement) = (sql, prepared)
        let isRead = StatementKind.isPlainRead(sql.text)
        feed = try await StatementFeed(
            loan, sql.text, timeout: session.remaining(until: deadline), isRead: isRead
        ) { handle in
            let isSent =
                if let statement {
                    session.sendPrepared(statement.name, sql, statement.format, handle)
                } else {
                    session.sendUnprepared(sql, handle)
                }
            session.isInSingleRowMode = true
            return isSent == 1 ? PQsetSingleRowMode(handle) : 0
        }
    }
}

extension PostgresSession {
    /// The statement, prepared; nil when the server cannot, or is about to, and it has to go as it is.
    fileprivate func preparedForStream(
        _ sql: SQL, until deadline: ReactorInstant?
    ) async throws -> PreparedStatement? {
        let fingerprint = sql.fingerprint
        switch statements.use(sql, fingerprint) {
        case .prepared(let statement): return statement.columns == nil ? nil : statement
        case .first, .again:
            guard sql.isWorthPreparing else { return nil }
            try await forgetCondemned(until: deadline)
            return try await prepare(sql, fingerprint, until: deadline)
        }
    }
}
