import CLibPQ
import PostgresValues
import ReactorCore

/// Takes rows in single-row mode out of libpq, as many at a time as are there.
@ReactorActor
struct RowGatherer {
    /// A batch is handed on when its values have so many bytes: large enough that what is done once for each batch does
    /// not count, small enough to stay in the processor's cache.
    static let batchBytes = 64 << 10
    static let batchRows = 4096

    /// The columns, once known.
    private(set) var columns: PostgresColumns?
    /// Rows taken so far.
    private(set) var count = 0
    private var expected = (rows: 64, bytes: 4096)

    init(columns: PostgresColumns?) { self.columns = columns }

    mutating func take(_ session: PostgresSession, _ handle: OpaquePointer)
        -> StatementFeed.Step<PostgresRows>
    {
        var builder: PostgresRows.Builder?
        var rows = 0
        var bytes = 0
        var isAtEnd = false
        gathering: while bytes < Self.batchBytes, rows < Self.batchRows {
            if PQisBusy(handle) != 0, PQstatus(handle) == CONNECTION_OK {
                // Straight from the socket: only when it has nothing is the reactor to be asked.
                session.takeInput()
                if PQstatus(handle) == CONNECTION_OK, PQisBusy(handle) != 0 { break }
            }
            guard let result = PQgetResult(handle) else {
                isAtEnd = true
                break
            }
            switch PQresultStatus(result) {
            case PGRES_SINGLE_TUPLE:
                if builder == nil {
                    builder = PostgresRows.Builder(
                        columns: columns(of: result), expectedRows: expected.rows,
                        expectedBytes: expected.bytes)
                }
                bytes = Self.append(result, to: &builder!)  // made above
                rows += 1
                PQclear(result)
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                session.accept(result, handle)
                return .unwanted
            default:
                if PQresultStatus(result) == PGRES_TUPLES_OK { _ = columns(of: result) }
                session.accept(result, handle)
                session.noteSocket(nil)
            }
        }
        guard let builder else { return isAtEnd ? .end : .wait }
        let batch = builder.finish(rowCount: rows, firstRow: count)
        count += rows
        expected = (rows + rows / 8, bytes + bytes / 8)
        return isAtEnd ? .last(batch) : .piece(batch)
    }

    private mutating func columns(of result: OpaquePointer) -> PostgresColumns {
        if let columns { return columns }
        let columns = PostgresColumns(LibPQResult.columns(of: result))
        self.columns = columns
        return columns
    }

    /// Copies the one row of a result; returns how many bytes there are by now.
    private static func append(_ result: OpaquePointer, to builder: inout PostgresRows.Builder) -> Int {
        builder.append(cells: Int(PQnfields(result))) { field in LibPQResult.cell(of: result, 0, Int32(field))
        }
        return builder.byteCount
    }
}
