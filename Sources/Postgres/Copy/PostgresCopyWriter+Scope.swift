import CLibPQ
import PostgresValues
import ReactorCore

extension PostgresCopyWriter {
    /// Sends the statement and waits until the server wants rows.
    static func begin(
        _ database: any PostgresDatabase, _ statement: CopyStatement, _ format: PostgresCopyFormat,
        timeout: Duration?
    ) async throws -> PostgresCopyWriter {
        let loan = try await database.lendSession()
        let session = loan.session
        let deadline = timeout.map { session.reactor.now.advanced(by: $0) }
        var binary: PostgresCopyBinaryEncoder?
        if format.rows == .binary {
            do {
                let columns = try await session.describe(statement, until: deadline)
                binary = PostgresCopyBinaryEncoder(columns: columns.inFormat(.binary))
            } catch {
                loan.giveBack()
                throw error
            }
        }
        let statement = statement.into(format)
        let feed = try await StatementFeed(
            loan, statement, timeout: session.remaining(until: deadline), isRead: false
        ) { session.sendCopy(statement, $0) }
        session.exchange.copyFailure = "the rows were not sent to their end"
        let isReady: Bool? = try await feed.next { feed.takeReply($0, until: PGRES_COPY_IN) }
        guard isReady == true else {
            throw PostgresError(.unexpectedResult, "the server did not ask for the rows of a COPY")
        }
        session.exchange.isCopyIn = true
        session.pace(false)
        return PostgresCopyWriter(feed, format.rows == .text ? PostgresCopyTextEncoder() : nil, binary)
    }

    /// Sends the rest and returns how many rows the server has taken, also when an interruption came too late to stop it.
    func finish() async throws -> Int {
        guard !isEnded else { return 0 }
        do {
            try await send(text?.finish() ?? binary?.finish() ?? [])
            try await feed.send { handle in
                let isTaken = PQputCopyEnd(handle, nil)
                // From here on the server may commit, however late it is told to stop.
                if isTaken == 1 { feed.isOutcomeAll = true }
                return isTaken
            }
            isEnded = true
            feed.session.exchange.isCopyIn = false
            _ = try await feed.next { feed.takeReply($0, until: nil) } as Bool?
        } catch {
            isEnded = true
            throw error
        }
        return feed.affectedRows
    }

    /// Tells the server that no more will come, so that it undoes what it has; the connection stays good.
    func abort() async {
        isEnded = true
        await feed.close()
    }
}

extension StatementFeed {
    /// Takes results until one of the given status, or all of them.
    func takeReply(_ handle: OpaquePointer, until status: ExecStatusType?) -> Step<Bool> {
        while true {
            if PQstatus(handle) == CONNECTION_OK, PQisBusy(handle) != 0 {
                session.takeInput()
                if PQstatus(handle) == CONNECTION_OK, PQisBusy(handle) != 0 { return .wait }
            }
            guard let result = PQgetResult(handle) else { return .end }
            if let status, PQresultStatus(result) == status {
                PQclear(result)
                return .piece(true)
            }
            session.accept(result, handle)
            session.noteSocket(nil)
        }
    }
}
