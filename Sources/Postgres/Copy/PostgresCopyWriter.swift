import CLibPQ
import Greenlets
public import PostgresValues
public import ReactorCore

/// Sends rows to a COPY … FROM STDIN; exists inside `copyIn { … }` only.
///
/// Rows gather and are sent some 64 KiB at a time. Where the server is slower than the rows, `write` waits for it: at most
/// some 128 KiB are in memory. One task at a time.
@ReactorActor
public final class PostgresCopyWriter {
    /// Bytes that are worth a message, and the most that one has.
    static let chunkBytes = 64 << 10
    /// Rows after which the others on the reactor have their turn, however short the rows are.
    private static let turnRows = 2048

    private let feed: StatementFeed
    // At most one of these; bytes that are written as they are need none. Not in one enum, which would copy what has
    // gathered for each row.
    private var text: PostgresCopyTextEncoder?
    private var binary: PostgresCopyBinaryEncoder?
    /// The row that is being made; kept for its memory.
    private var row: [PostgresParameter] = []
    /// Rows that have gathered.
    private var rowsAtHand = 0
    private var isEnded = false

    private init(
        _ feed: StatementFeed, _ text: PostgresCopyTextEncoder?, _ binary: PostgresCopyBinaryEncoder?
    ) {
        self.feed = feed
        self.text = text
        self.binary = binary
    }

    // MARK: Rows

    /// Writes a row, one value for each column. Parks the calling task when the server is behind.
    ///
    /// - Throws: `PostgresValueError` for a value that its column cannot take, or a wrong number of values, with the row's
    ///   number; the row is not written, and more can be. `PostgresError`, when the server has refused what was sent before, or the
    ///   time is over; `CancellationError`: the COPY is over then.
    public func write<each Value: PostgresEncodable>(_ values: repeat each Value) async throws {
        if try append(repeat each values) { try await flush() }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public func write<each Value: PostgresEncodable>(_ values: repeat each Value) throws {
        if try append(repeat each values) { try flushFromGreenlet() }
    }

    /// Appends a row; whether so much has gathered that it is to be sent.
    func append<each Value: PostgresEncodable>(_ values: repeat each Value) throws -> Bool {
        try checkOpen()
        if binary != nil {
            try binary!.append(repeat each values)  // just seen; in place
            return isWorthSending(binary!.byteCount)
        }
        row.removeAll(keepingCapacity: true)
        do {
            for value in repeat each values { row.append(try value.postgresParameter()) }
        } catch {
            throw placed(error)
        }
        return try encodeRow()
    }

    /// Writes a row of encoded values; see the other form.
    public func write(row: [PostgresParameter]) async throws {
        self.row = row
        if try encodeRow() { try await flush() }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public func write(row: [PostgresParameter]) throws {
        self.row = row
        if try encodeRow() { try flushFromGreenlet() }
    }

    /// Appends the row; whether so much has gathered that it is to be sent.
    private func encodeRow() throws -> Bool {
        try checkOpen()
        if text != nil {
            try text!.append(row: row)  // just seen; in place
            return isWorthSending(text!.byteCount)
        }
        guard binary != nil else {
            throw PostgresError(
                .unexpectedResult,
                "rows of values cannot be written here: bytes were written before, or the format is CSV")
        }
        try binary!.append(row: row)  // as above
        return isWorthSending(binary!.byteCount)
    }

    private func isWorthSending(_ bytes: Int) -> Bool {
        rowsAtHand += 1
        return bytes >= Self.chunkBytes || rowsAtHand >= Self.turnRows
    }

    private var rowCount: Int { text?.rowCount ?? binary?.rowCount ?? 0 }

    /// An error of the value that was to be the next in the row.
    private func placed(_ error: any Error) -> any Error {
        var placed =
            error as? PostgresValueError
            ?? PostgresValueError(.conversion, "a value cannot be encoded", underlying: error)
        placed.row = rowCount
        placed.column = "column \(row.count + 1)"
        return placed
    }

    func flush() async throws {
        rowsAtHand = 0
        try await send(text?.take() ?? binary?.take() ?? [])
    }

    private func flushFromGreenlet() throws {
        try Greenlet.blockingCall { try await self.flush() }
    }

    // MARK: Bytes

    /// Writes bytes that are in the COPY's form already, cut anywhere. Parks the calling task when the server is behind.
    ///
    /// - Throws: `PostgresError` when the server has refused what was sent before, or the time is over; `CancellationError`: the COPY is
    ///   over then. Rows of values and bytes do not mix: `unexpectedResult`.
    public func write(bytes: [UInt8]) async throws {
        try checkOpen()
        guard rowCount == 0 else {
            throw PostgresError(.unexpectedResult, "bytes cannot follow rows of values in the same COPY")
        }
        // From here on rows are refused, and the encoder's header must not come.
        text = nil
        binary = nil
        try await send(bytes)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public func write(bytes: [UInt8]) throws {
        try Greenlet.blockingCall { try await self.write(bytes: bytes) }
    }

    private func checkOpen() throws(PostgresError) {
        guard !isEnded else {
            throw PostgresError(.connectionClosed, "the COPY was written to after its copyIn had ended")
        }
    }

    private func send(_ bytes: [UInt8]) async throws {
        var start = 0
        while start < bytes.count {
            let end = min(start + Self.chunkBytes, bytes.count)
            try await feed.send { handle in
                bytes.withUnsafeBytes { all in
                    PQputCopyData(
                        handle, all.baseAddress?.advanced(by: start).assumingMemoryBound(to: CChar.self),
                        Int32(end - start))
                }
            }
            start = end
        }
    }
}

// MARK: - Begin and end

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
                let columns = try await session.describe(statement.selection, until: deadline)
                binary = PostgresCopyBinaryEncoder(columns: columns.inFormat(.binary))
            } catch {
                loan.giveBack()
                throw error
            }
        }
        let statement = statement.into(format)
        let feed = try await StatementFeed(loan, timeout: session.remaining(until: deadline)) {
            PQsendQuery($0, statement)
        }
        session.exchange.copyFailure = "the rows were not sent to their end"
        let isReady: Bool? = try await feed.next { feed.takeReply($0, until: PGRES_COPY_IN) }
        guard isReady == true else {
            throw PostgresError(.unexpectedResult, "the server did not ask for the rows of a COPY")
        }
        session.exchange.isCopyIn = true
        session.pace(false)
        return PostgresCopyWriter(feed, format.rows == .text ? PostgresCopyTextEncoder() : nil, binary)
    }

    /// Sends the rest and returns how many rows the server has taken.
    func finish() async throws -> Int {
        guard !isEnded else { return 0 }
        do {
            try await send(text?.finish() ?? binary?.finish() ?? [])
            try await feed.send { PQputCopyEnd($0, nil) }
            isEnded = true
            feed.session.exchange.isCopyIn = false
            _ = try await feed.next { feed.takeReply($0, until: nil) } as Bool?
        } catch {
            isEnded = true
            throw error
        }
        return feed.commandTag.split(separator: " ").last.flatMap { Int($0) } ?? 0
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
