import CLibPQ
import PostgresValues
import ReactorCore

/// The text of a COPY, and of the SELECT that has the same columns.
struct CopyStatement: Sendable {
    let target: String
    let selection: SQL
    /// All columns of a table are meant.
    let isWholeTable: Bool

    /// All of a table, or some of its columns.
    init(table: SQL, columns: [String]) throws(PostgresValueError) {
        try Self.check(table)
        var list = SQL()
        for (number, column) in columns.enumerated() {
            if number > 0 { list.append(raw: ", ") }
            list.append(SQL(ident: column))
        }
        try list.validate()
        isWholeTable = columns.isEmpty
        target = table.text + (columns.isEmpty ? "" : " (\(list.text))")
        selection = SQL(raw: "SELECT \(columns.isEmpty ? "*" : list.text) FROM \(table.text)")
    }

    /// The rows of a query.
    init(query: SQL) throws(PostgresValueError) {
        try Self.check(query)
        isWholeTable = false
        target = "(\(query.text))"
        selection = query
    }

    func into(_ format: PostgresCopyFormat) -> String { "COPY \(target) FROM STDIN WITH (\(format.options))" }

    /// What stands before the query in `out`; nothing where there is none.
    var prefix: String { target.hasPrefix("(") ? "COPY (" : "" }

    func out(_ format: PostgresCopyFormat) -> String { "COPY \(target) TO STDOUT WITH (\(format.options))" }

    private static func check(_ sql: SQL) throws(PostgresValueError) {
        try sql.validate()
        guard sql.parameters.isEmpty else {
            throw PostgresValueError(
                .conversion, "COPY cannot bind values: stream the query, or put the values in a table first")
        }
    }
}

extension PostgresSession {
    /// Sends a COPY by the simple protocol, of which libpq takes the data in the same way as by the other.
    func sendCopy(_ text: String, _ handle: OpaquePointer) -> Int32 {
        noteStatement(text, mayRepeat: false)
        return PQsendQuery(handle, text)
    }

    /// The columns that COPY moves.
    func describe(_ copy: CopyStatement, until deadline: ReactorInstant?) async throws -> [PostgresColumn] {
        let description = PipelinedCall(copy.selection, copy.selection.fingerprint)
        description.isDescription = true
        let columns = Array(try await pipelined(description, until: deadline).columns)
        guard copy.isWholeTable, description.table != 0 else { return columns }
        // Those that COPY leaves out of a table unless they are named. Before version 12 there are none.
        let sql: SQL = """
            SELECT attname FROM pg_catalog.pg_attribute AS a
            WHERE attrelid = \(description.table) AND attnum > 0 AND to_jsonb(a) ->> 'attgenerated' <> ''
            """
        let generated = try await pipelined(PipelinedCall(sql, sql.fingerprint), until: deadline)
            .map { try $0.decode(String.self, at: 0) }
        return generated.isEmpty ? columns : columns.filter { !generated.contains($0.name) }
    }

    private func pipelined(_ call: PipelinedCall, until deadline: ReactorInstant?) async throws
        -> PostgresRows
    {
        try await runPipeline([.statement(call), .sync], timeout: remaining(until: deadline))
        return try call.result()
    }
}

extension Array where Element == PostgresColumn {
    /// The same columns with values in another form.
    func inFormat(_ format: PostgresFormat) -> PostgresColumns {
        PostgresColumns(
            enumerated().map { PostgresColumn(name: $1.name, oid: $1.oid, format: format, index: $0) })
    }
}
