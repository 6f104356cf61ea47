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

    private let database: any SessionLender
    private let sql: SQL
    private let batch: Int
    private let isHeld: Bool
    private let timeout: Duration?
    private var state = State.unopened
    private var columns = PostgresColumns()
    private var format = PostgresFormat.text
    private var count = 0

    init(_ database: any SessionLender, _ sql: SQL, batch: Int, isHeld: Bool, timeout: Duration?) {
        self.database = database
        self.sql = sql
        self.batch = max(1, batch)
        self.isHeld = isHeld
        self.timeout = timeout
    }

    func nextBatch() async throws -> PostgresRows? {
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
        let session = try await database.borrowSession().session
        let format = format
        let rows: PostgresRows
        do {
            rows = try await session.perform(timeout: timeout) { handle in
                PQsendQueryParams(
                    handle, "FETCH FORWARD \(batch) FROM \(name)", 0, nil, nil, nil, nil, format.rawValue)
            }.rows(columns, firstRow: count)
        } catch {
            await close()
            throw error
        }
        count += rows.count
        if rows.count < batch { await close() }
        return rows.isEmpty ? nil : rows
    }

    private func declare() async throws -> String {
        try sql.validate()
        let session = try await database.borrowSession().session
        guard isHeld || session.transactionStatus == PQTRANS_INTRANS else {
            throw PostgresError(
                .unexpectedResult,
                "a cursor lives in a transaction: use transaction { tx in tx.cursor(…) }, or withHold: true, for which "
                    + "the server makes all rows at once")
        }
        session.cursors += 1
        let name = "cursor_\(session.cursors)"
        let text = "DECLARE \(name) NO SCROLL CURSOR \(isHeld ? "WITH HOLD " : "")FOR \(sql.text)"
        _ = try await session.perform(timeout: timeout) { handle in
            session.parameters.withParameters(sql.parameters) { count, values, lengths, formats in
                PQsendQueryParams(
                    handle, text, count, sql.parameters.map(\.oid.rawValue), values, lengths, formats, 0)
            }
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

    func abandon() {
        guard case .open = state else { return }
        _ = Reactor.current.startTask { await self.close() }
    }

    func close() async {
        guard case .open(let name) = state else { return }
        state = .closed
        // Once the transaction has ended the cursor is gone, and the connection may be somebody else's.
        guard let session = try? await database.borrowSession().session else { return }
        await session.waitUntilFree(endsStreams: false)
        let expected = isHeld ? PQTRANS_IDLE : PQTRANS_INTRANS
        guard (try? await database.borrowSession()) != nil, session.isUsable,
            session.transactionStatus == expected || session.transactionStatus == PQTRANS_INTRANS
        else { return }
        _ = try? await session.perform(timeout: .seconds(5), isInterruptible: false, isCleanUp: true) {
            PQsendQuery($0, "CLOSE \(name)")
        }
    }
}
