import CLibPQ
import PostgresValues
import ReactorCore

/// The text of a COPY, and of the SELECT that has the same columns.
struct CopyStatement: Sendable {
    let target: String
    let selection: SQL

    /// All of a table, or some of its columns.
    init(table: SQL, columns: [String]) throws(PostgresValueError) {
        try Self.check(table)
        var list = SQL()
        for (number, column) in columns.enumerated() {
            if number > 0 { list.append(raw: ", ") }
            list.append(SQL(ident: column))
        }
        try list.validate()
        target = table.text + (columns.isEmpty ? "" : " (\(list.text))")
        selection = SQL(raw: "SELECT \(columns.isEmpty ? "*" : list.text) FROM \(table.text)")
    }

    /// The rows of a query.
    init(query: SQL) throws(PostgresValueError) {
        try Self.check(query)
        target = "(\(query.text))"
        selection = query
    }

    func into(_ format: PostgresCopyFormat) -> String { "COPY \(target) FROM STDIN WITH (\(format.options))" }

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

    /// The columns that a statement without values would return.
    func describe(_ sql: SQL, until deadline: ReactorInstant?) async throws -> [PostgresColumn] {
        _ = try await perform(timeout: remaining(until: deadline)) { PQsendPrepare($0, "", sql.text, 0, nil) }
        return try await perform(timeout: remaining(until: deadline)) { PQsendDescribePrepared($0, "") }
            .columns
    }
}

extension Array where Element == PostgresColumn {
    /// The same columns with values in another form.
    func inFormat(_ format: PostgresFormat) -> PostgresColumns {
        PostgresColumns(map { PostgresColumn(name: $0.name, oid: $0.oid, format: format, index: $0.index) })
    }
}
