import Greenlets
public import PostgresValues
public import ReactorCore

extension PostgresDatabase {
    /// Fills a table by COPY with what `body` writes; the fastest way in. Parks the calling task.
    ///
    /// ```swift
    /// let count = try await pool.copyIn(into: "film", columns: ["id", "title"]) { rows in
    ///     for film in films { try await rows.write(film.id, film.title) }
    /// }
    /// ```
    /// All rows come in, or none: when `body` throws, the task is cancelled, or the server refuses a row, it undoes all of
    /// them, and the connection stays usable. In a transaction that has then failed, as by any error. A cancellation or
    /// time-out that the server hears of too late changes nothing: the rows are in, and their number is returned.
    /// - Parameters:
    ///   - table: its name as in SQL: `"film"`, `"public.film"`, `"\(ident: name)"`.
    ///   - columns: those that are written, by their exact names; others get their defaults. None: all.
    ///   - format: default text, which takes values of every type; `binary` is faster.
    ///   - timeout: for the whole of it, what `body` takes included; nil: no limit.
    /// - Returns: how many rows were copied.
    /// - Throws: what `body` throws; as `query`: for a refused row the error's context names line and column.
    @discardableResult
    public func copyIn(
        into table: SQL, columns: [String] = [], format: PostgresCopyFormat = .text, timeout: Duration? = nil,
        _ body: @ReactorActor (PostgresCopyWriter) async throws -> Void
    ) async throws -> Int {
        let statement = try CopyStatement(table: table, columns: columns)
        let writer = try await PostgresCopyWriter.begin(self, statement, format, timeout: timeout)
        do {
            try await body(writer)
            return try await writer.finish()
        } catch {
            await writer.abort()
            throw error
        }
    }

    // Disfavoured, as all forms that take a synchronous body.
    /// As the `async` form, for synchronous code in a greenlet.
    @_disfavoredOverload @discardableResult
    public func copyIn(
        into table: SQL, columns: [String] = [], format: PostgresCopyFormat = .text, timeout: Duration? = nil,
        _ body: @ReactorActor (PostgresCopyWriter) throws -> Void
    ) throws -> Int {
        let statement = try CopyStatement(table: table, columns: columns)
        let writer = try Greenlet.blockingCall {
            try await PostgresCopyWriter.begin(self, statement, format, timeout: timeout)
        }
        do {
            try body(writer)
            return try Greenlet.blockingCall { try await writer.finish() }
        } catch {
            cleanUp { await writer.abort() }
            throw error
        }
    }

    /// Fills a table by COPY with rows that are there, as tuples. Parks the calling task; see the form with a body.
    ///
    /// ```swift
    /// try await pool.copyIn(into: "film", columns: ["id", "title"], rows: films.lazy.map { ($0.id, $0.title) })
    /// ```
    @discardableResult @inlinable
    public func copyIn<Rows: Sequence, each Value: PostgresEncodable>(
        into table: SQL, columns: [String] = [], format: PostgresCopyFormat = .text, timeout: Duration? = nil,
        rows: Rows
    ) async throws -> Int where Rows.Element == (repeat each Value) {
        try await copyIn(into: table, columns: columns, format: format, timeout: timeout) { writer in
            var rows = rows.makeIterator()
            while try writer.append(from: &rows) { try await writer.flush() }
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @_disfavoredOverload @discardableResult @inlinable
    public func copyIn<Rows: Sequence, each Value: PostgresEncodable>(
        into table: SQL, columns: [String] = [], format: PostgresCopyFormat = .text, timeout: Duration? = nil,
        rows: Rows
    ) throws -> Int where Rows.Element == (repeat each Value) {
        try copyIn(into: table, columns: columns, format: format, timeout: timeout) { writer in
            var rows = rows.makeIterator()
            while try writer.append(from: &rows) { try writer.flushFromGreenlet() }
        }
    }

    /// Fills one column of a table by COPY; see the form with a body.
    @discardableResult @inlinable
    public func copyIn<Values: Sequence>(
        into table: SQL, columns: [String] = [], format: PostgresCopyFormat = .text, timeout: Duration? = nil,
        rows: Values
    ) async throws -> Int where Values.Element: PostgresEncodable {
        try await copyIn(into: table, columns: columns, format: format, timeout: timeout) { writer in
            var rows = rows.makeIterator()
            while try writer.append(from: &rows) { try await writer.flush() }
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @_disfavoredOverload @discardableResult @inlinable
    public func copyIn<Values: Sequence>(
        into table: SQL, columns: [String] = [], format: PostgresCopyFormat = .text, timeout: Duration? = nil,
        rows: Values
    ) throws -> Int where Values.Element: PostgresEncodable {
        try copyIn(into: table, columns: columns, format: format, timeout: timeout) { writer in
            var rows = rows.makeIterator()
            while try writer.append(from: &rows) { try writer.flushFromGreenlet() }
        }
    }

    /// Fills a table by COPY with rows as they come, as tuples; see the form with a body. A slow server slows the source down.
    @discardableResult @inlinable
    public func copyIn<Rows: AsyncSequence, each Value: PostgresEncodable>(
        into table: SQL, columns: [String] = [], format: PostgresCopyFormat = .text, timeout: Duration? = nil,
        rows: Rows
    ) async throws -> Int where Rows.Element == (repeat each Value) {
        try await copyIn(into: table, columns: columns, format: format, timeout: timeout) { writer in
            for try await row in rows { try await writer.write(repeat each row) }
        }
    }

    /// Fills a table by COPY with bytes that are in the given form already, cut anywhere; see the form with a body.
    @discardableResult @inlinable
    public func copyIn<Chunks: AsyncSequence>(
        into table: SQL, columns: [String] = [], format: PostgresCopyFormat, timeout: Duration? = nil,
        chunks: Chunks
    ) async throws -> Int where Chunks.Element == [UInt8] {
        try await copyIn(into: table, columns: columns, format: format, timeout: timeout) { writer in
            for try await chunk in chunks { try await writer.write(bytes: chunk) }
        }
    }
}
