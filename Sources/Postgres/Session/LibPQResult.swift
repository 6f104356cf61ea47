import CLibPQ
import PostgresValues

/// One PGresult, freed when it goes out of scope.
struct LibPQResult: ~Copyable {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { PQclear(pointer) }

    var status: ExecStatusType { PQresultStatus(pointer) }

    /// `SELECT 3`, `COMMIT`.
    var commandTag: String { PQcmdStatus(pointer).map { String(cString: $0) } ?? "" }

    /// The form of its columns, which is the same for all.
    var format: PostgresFormat { PQnfields(pointer) > 0 && PQfformat(pointer, 0) == 1 ? .binary : .text }

    /// The columns as described.
    var columns: [PostgresColumn] { Self.columns(of: pointer) }

    /// The columns of a result that somebody else frees.
    static func columns(of pointer: OpaquePointer) -> [PostgresColumn] {
        (0..<PQnfields(pointer)).map { index in
            PostgresColumn(
                name: PQfname(pointer, index).map { String(cString: $0) } ?? "",
                oid: PostgresTypeOID(rawValue: PQftype(pointer, index)),
                format: PQfformat(pointer, index) == 1 ? .binary : .text, index: Int(index))
        }
    }

    /// A value in libpq's memory; nil is NULL.
    @inline(__always)
    static func cell(of pointer: OpaquePointer, _ row: Int32, _ field: Int32) -> UnsafeRawBufferPointer? {
        // A NULL has the length 0, so most values need not be asked.
        let length = PQgetlength(pointer, row, field)
        if length == 0, PQgetisnull(pointer, row, field) != 0 { return nil }
        return UnsafeRawBufferPointer(start: PQgetvalue(pointer, row, field), count: Int(length))
    }

    /// Copies the rows out of libpq's memory.
    ///
    /// - Parameters:
    ///   - known: the columns, where a prepared statement has them already.
    ///   - firstRow: how many rows of the same result have come before these.
    func rows(_ known: PostgresColumns? = nil, firstRow: Int = 0) -> PostgresRows {
        let rows = PQntuples(pointer)
        let fields = PQnfields(pointer)
        let columns = known.flatMap { $0.count == Int(fields) ? $0 : nil } ?? PostgresColumns(columns)
        var builder = PostgresRows.Builder(
            columns: columns, expectedRows: Int(rows), expectedBytes: Int(rows) * Int(fields) * 8)
        for row in 0..<rows {
            builder.append(cells: Int(fields)) { field in Self.cell(of: pointer, row, Int32(field)) }
        }
        return builder.finish(commandTag: commandTag, rowCount: Int(rows), firstRow: firstRow)
    }
}

extension PostgresServerReport {
    /// What an error or notice result says; nil when libpq made the error itself.
    init?(_ result: OpaquePointer) {
        func field(_ code: Character) -> String? {
            PQresultErrorField(result, Int32(code.asciiValue ?? 0)).map { String(cString: $0) }
        }
        // The field codes are PG_DIAG_SQLSTATE and its siblings; Swift does not see them as integers.
        guard let state = field("C") else { return nil }
        self.init(
            sqlState: PostgresSQLState(rawValue: state), severity: field("V") ?? field("S") ?? "ERROR",
            message: field("M") ?? "")
        detail = field("D")
        hint = field("H")
        position = field("P").flatMap { Int($0) }
        internalPosition = field("p").flatMap { Int($0) }
        internalQuery = field("q")
        context = field("W")
        schema = field("s")
        table = field("t")
        column = field("c")
        dataType = field("d")
        constraint = field("n")
        sourceFunction = field("R")
        if let sourceFunction, let file = field("F"), let line = field("L") {
            source = "\(sourceFunction) (\(file):\(line))"
        }
    }
}
