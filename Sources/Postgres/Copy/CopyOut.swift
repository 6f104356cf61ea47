import CLibPQ
import PostgresValues
import ReactorCore

/// Takes the data of a COPY … TO STDOUT out of libpq, as much at a time as is there.
@ReactorActor
struct CopyGatherer {
    static let chunkBytes = 64 << 10
    private var phase = Phase.start

    private enum Phase {
        case start
        case data
        case result
    }

    mutating func take(_ feed: StatementFeed, _ handle: OpaquePointer) -> StatementFeed.Step<[UInt8]> {
        let session = feed.session
        var chunk: [UInt8] = []
        var hasRead = false
        /// Looks at the socket, once for each time that libpq has nothing more.
        func reads() -> Bool {
            if hasRead || PQstatus(handle) != CONNECTION_OK { return false }
            session.takeInput()
            hasRead = true
            return true
        }
        while chunk.count < Self.chunkBytes {
            if phase == .data {
                var buffer: UnsafeMutablePointer<CChar>?
                let length = PQgetCopyData(handle, &buffer, 1)
                if length > 0, let buffer {
                    chunk.append(contentsOf: UnsafeRawBufferPointer(start: buffer, count: Int(length)))
                    hasRead = false
                }
                PQfreemem(buffer)
                if length > 0 || length == 0 && reads() { continue }
                if length == 0, PQstatus(handle) == CONNECTION_OK { break }
                phase = .result
                feed.isCopy = false
                hasRead = false
                continue
            }
            if PQstatus(handle) == CONNECTION_OK, PQisBusy(handle) != 0 {
                if reads() { continue }
                break
            }
            hasRead = false
            guard let result = PQgetResult(handle) else { return chunk.isEmpty ? .end : .last(chunk) }
            if phase == .start, PQresultStatus(result) == PGRES_COPY_OUT {
                PQclear(result)
                phase = .data
                feed.isCopy = true
            } else {
                session.accept(result, handle)
                session.noteSocket(nil)
            }
        }
        return chunk.isEmpty ? .wait : .piece(chunk)
    }
}

/// One COPY … TO STDOUT under way.
@ReactorActor
final class CopyOut {
    private let database: any PostgresDatabase
    private let make: @Sendable () throws -> CopyStatement
    private let format: PostgresCopyFormat?
    private let timeout: Duration?
    private var feed: StatementFeed?
    private var gatherer = CopyGatherer()
    private var hasStarted = false
    /// What stands before the query in the text that is sent.
    private var prefix = ""
    /// The columns, when rows are to be made.
    private(set) var columns = PostgresColumns()

    /// - Parameter format: nil for whichever of text and binary all columns can be read in.
    init(
        _ database: any PostgresDatabase, _ format: PostgresCopyFormat?, timeout: Duration?,
        _ make: @escaping @Sendable () throws -> CopyStatement
    ) {
        self.database = database
        self.format = format
        self.timeout = timeout
        self.make = make
    }

    func next() async throws -> [UInt8]? {
        if !hasStarted {
            hasStarted = true
            try await start()
        }
        guard let feed else { return nil }
        do { return try await feed.next { gatherer.take(feed, $0) } } catch {
            throw PostgresError.placed(error, behind: prefix)
        }
    }

    func abandon() { feed?.abandon() }

    func close() async { await feed?.close() }

    private func start() async throws {
        let statement = try make()
        let loan = try await database.lendSession()
        let session = loan.session
        let deadline = timeout.map { session.reactor.now.advanced(by: $0) }
        var format = format ?? .text
        if self.format == nil {
            do {
                let described = try await session.describe(statement, until: deadline)
                if described.allSatisfy(\.oid.hasBinaryDecoder) { format = .binary }
                columns = described.inFormat(format == .binary ? .binary : .text)
            } catch {
                loan.giveBack()
                throw error
            }
        }
        let text = statement.out(format)
        prefix = statement.prefix
        let isRead = StatementKind.isPlainRead(statement.selection.text)
        feed = try await StatementFeed(
            loan, text, timeout: session.remaining(until: deadline), isRead: isRead
        ) { session.sendCopy(text, $0) }
    }
}

/// The rows of a COPY … TO STDOUT.
@ReactorActor
final class CopyOutRows: RowSource {
    private let copy: CopyOut
    // At most one of these. Not in one enum, which would copy what has gathered for each chunk.
    private var text: PostgresCopyTextDecoder?
    private var binary: PostgresCopyBinaryDecoder?
    private var count = 0

    init(_ copy: CopyOut) { self.copy = copy }

    func nextBatch() async throws -> PostgresRows? {
        while let chunk = try await copy.next() {
            let columns = copy.columns
            var rows = PostgresRows.Builder(columns: columns, expectedBytes: chunk.count)
            let added: Int
            do {
                added = try decode(chunk, columns, into: &rows)
            } catch {
                await copy.close()
                throw error
            }
            guard added > 0 else { continue }
            defer { count += added }
            return rows.finish(rowCount: added, firstRow: count)
        }
        return nil
    }

    private func decode(_ chunk: [UInt8], _ columns: PostgresColumns, into rows: inout PostgresRows.Builder)
        throws
        -> Int
    {
        if columns.first?.format == .text {
            if text == nil { text = PostgresCopyTextDecoder(columnCount: columns.count) }
            return try text!.append(chunk, into: &rows)  // just made
        }
        if binary == nil { binary = PostgresCopyBinaryDecoder(columnCount: columns.count) }
        return try binary!.append(chunk, into: &rows)  // just made
    }

    func abandon() { copy.abandon() }

    func close() async { await copy.close() }
}
