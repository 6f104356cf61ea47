import CLibPQ
import PostgresValues
import ReactorCore

/// The rows of a cursor: DECLARE, FETCH after FETCH, CLOSE. Between them the connection is free.
@ReactorActor
final class CursorRows: RowSource {
    private enum State {
        case unopened
        case open(name: String)
        case closed
    }

    /// The session, as long as the scope lasts that lends it.
    private let lent: @Sendable @ReactorActor () throws -> PostgresSession
    private let sql: SQL
    private let batch: Int
    private let isHeld: Bool
    private let timeout: Duration?
    private var state = State.unopened
    private var isReading = false
    private var columns = PostgresColumns()
    private var format = PostgresFormat.text
    private var count = 0

    init(
        _ sql: SQL, batch: Int, isHeld: Bool, timeout: Duration?,
        on lent: @escaping @Sendable @ReactorActor () throws -> PostgresSession
    ) {
        self.lent = lent
        self.sql = sql
        self.batch = max(1, batch)
        self.isHeld = isHeld
        self.timeout = timeout
    }

    func nextBatch() async throws -> PostgresRows? {
        // Refused by the session it would close the cursor, and the other's loop would end as if there were no more rows.
        guard !isReading else { throw PostgresError.isReadTwice }
        isReading = true
        defer { isReading = false }
        let name: String
        switch state {
        case .closed: return nil
        case .open(let opened): name = opened
        case .unopened:
            // Failing, it is not tried again.
            state = .closed
            name = try await declare()
            state = .open(name: name)
        }
        let session = try lent()
        let format = format
        let rows: PostgresRows
        do {
            rows = try await observed(on: session, \.count) {
                try await session.perform(timeout: timeout) { handle in
                    PQsendQueryParams(
                        handle, "FETCH FORWARD \(batch) FROM \(name)", 0, nil, nil, nil, nil, format.rawValue)
                }.rows(columns, firstRow: count)
            }
        } catch {
            await close()
            throw error
        }
        count += rows.count
        if rows.count < batch { await close() }
        return rows.isEmpty ? nil : rows
    }

    /// Tells of a round trip under the text of the cursor's statement: that of a FETCH says nothing.
    private func observed<Value>(
        on session: PostgresSession, _ rows: (Value) -> Int, _ run: () async throws -> Value
    ) async throws -> Value {
        guard session.isObserved else { return try await run() }
        return try await session.observed(sql.text, rows, run)
    }

    private func declare() async throws -> String {
        try sql.validate()
        // Until then nobody knows whether there is a transaction.
        try await lent().waitForCleanUp()
        let session = try lent()
        session.cursors += 1
        let name = "cursor_\(session.cursors)"
        let prefix = "DECLARE \(name) NO SCROLL CURSOR \(isHeld ? "WITH HOLD " : "")FOR "
        let text = prefix + sql.text
        if isHeld { try session.checkKeepsNothing(text) }
        try session.checkKeepsNothing(sql.text)
        try session.checkPlaces(sql)
        guard isHeld || session.transactionStatus == PQTRANS_INTRANS else {
            throw PostgresError(
                .unexpectedResult,
                "a cursor lives in a transaction: use transaction { tx in tx.cursor(…) }, or withHold: true, for which "
                    + "the server makes all rows at once")
        }
        if isHeld { session.dirt.cursorIsHeld(name) }
        do {
            try await observed(on: session, { 0 }) {
                _ = try await session.perform(timeout: timeout) { handle in
                    // Not the text with HOLD in it: of the cursor itself it is known when it is closed.
                    session.noteStatement(sql.text, mayRepeat: false)
                    return session.parameters.withParameters(sql.parameters) {
                        PQsendQueryParams(
                            handle, text, $0, sql.parameters.map(\.oid.rawValue), $1, $2, $3, 0)
                    }
                }
            }
        } catch {
            session.dirt.cursorIsClosed(name)
            throw PostgresError.placed(error, behind: prefix)
        }
        state = .open(name: name)
        do {
            let described = try await session.perform(timeout: timeout) { PQsendDescribePortal($0, name) }
                .columns
            format = described.allSatisfy(\.oid.hasBinaryDecoder) ? .binary : .text
            columns = PostgresColumns(
                described.map { PostgresColumn(name: $0.name, oid: $0.oid, format: format, index: $0.index) })
        } catch {
            await close()
            throw error
        }
        return name
    }

    // MARK: The end

    func abandon() {
        guard case .open(let name) = state else { return }
        // Now, where that is possible: before a task has its turn the scope that lends the session may end.
        guard let session = try? lent(), !session.exchange.isUnderWay else {
            _ = Reactor.current.startTask { await self.close() }
            return
        }
        state = .closed
        guard isClosable(on: session) else { return }
        session.cleanUp(within: Self.closeLimit, { PQsendQuery($0, "CLOSE \(name)") }) { isDone in
            if isDone { session.dirt.cursorIsClosed(name) }
        }
    }

    func close() async {
        guard case .open(let name) = state else { return }
        state = .closed
        // Once the transaction has ended the cursor is gone, and the connection may be somebody else's.
        guard let session = try? lent() else { return }
        await session.waitUntilFree(endsStreams: false)
        guard (try? lent()) != nil, isClosable(on: session) else { return }
        let result = try? await session.perform(
            timeout: Self.closeLimit, ifInterrupted: .ignore, isCleanUp: true
        ) {
            PQsendQuery($0, "CLOSE \(name)")
        }
        if result != nil { session.dirt.cursorIsClosed(name) }
    }

    private static let closeLimit = Duration.seconds(5)

    private func isClosable(on session: PostgresSession) -> Bool {
        let expected = isHeld ? PQTRANS_IDLE : PQTRANS_INTRANS
        let status = session.transactionStatus
        return session.isUsable && (status == expected || status == PQTRANS_INTRANS)
    }
}
