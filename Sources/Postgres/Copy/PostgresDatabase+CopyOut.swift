public import PostgresValues
import ReactorCore

extension PostgresDatabase {
    /// The bytes of a table, as the server writes them; see `PostgresCopyStream`. Sends nothing yet and never waits.
    ///
    /// - Parameters:
    ///   - table: its name as in SQL: `"film"`, `"public.film"`, `"\(ident: name)"`.
    ///   - columns: their names, exactly; none: all.
    ///   - format: default text.
    ///   - timeout: for the whole of it, a slow consumer's time included; nil: no limit.
    public nonisolated func copyOut(
        table: SQL, columns: [String] = [], format: PostgresCopyFormat = .text, timeout: Duration? = nil
    ) -> PostgresCopyStream {
        PostgresCopyStream {
            CopyOut(self, format, timeout: timeout) { try CopyStatement(table: table, columns: columns) }
        }
    }

    /// The bytes of a query's rows, as the server writes them; see the other form.
    ///
    /// - Parameter query: SELECT, VALUES, or INSERT, UPDATE, DELETE with RETURNING. COPY can bind no values: a query with some
    ///   throws `PostgresValueError(.conversion)`.
    public nonisolated func copyOut(
        query: SQL, format: PostgresCopyFormat = .text, timeout: Duration? = nil
    ) -> PostgresCopyStream {
        PostgresCopyStream { CopyOut(self, format, timeout: timeout) { try CopyStatement(query: query) } }
    }

    /// The rows of a table by COPY, decoded: cheaper for the server than a SELECT. See `PostgresRowStream` and `copyOut`.
    public nonisolated func copyRows(table: SQL, columns: [String] = [], timeout: Duration? = nil)
        -> PostgresRowStream
    {
        PostgresRowStream {
            CopyOutRows(
                CopyOut(self, nil, timeout: timeout) { try CopyStatement(table: table, columns: columns) })
        }
    }

    /// The rows of a query by COPY, decoded. See `PostgresRowStream` and `copyOut`.
    public nonisolated func copyRows(query: SQL, timeout: Duration? = nil) -> PostgresRowStream {
        PostgresRowStream {
            CopyOutRows(CopyOut(self, nil, timeout: timeout) { try CopyStatement(query: query) })
        }
    }
}
