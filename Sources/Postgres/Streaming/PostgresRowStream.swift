import Greenlets
public import PostgresValues
public import ReactorCore

/// The rows of a statement as they come, however many: only the batch at hand is in memory.
///
/// ```swift
/// for try await row in pool.stream("SELECT id, title FROM film") {
///     let (id, title) = try row.decode(Int64.self, String.self)
/// }
/// ```
/// Nothing is sent before the first row is asked for, and each iterator runs the statement anew. Rows that have arrived
/// are handed out without a wait. While the consumer is busy the socket is not read, so a slow consumer slows the server
/// down instead of filling the memory.
///
/// A loop that is left early, by `break`, by an error or because its task is cancelled, cancels the statement on the
/// server. The connection stays the same and stays usable; the next statement on it waits until the server has ended the
/// last. An iterator kept in a variable keeps the connection occupied until it has returned nil or is dropped.
///
/// An error of the server comes behind the rows that it sent before.
public struct PostgresRowStream: AsyncSequence, Sendable {
    private let open: @Sendable @ReactorActor () -> any RowSource

    init(_ open: @escaping @Sendable @ReactorActor () -> any RowSource) { self.open = open }

    /// An iterator. Any thread; never waits.
    public func makeAsyncIterator() -> Iterator { Iterator(reader) }

    var reader: RowReader { RowReader(open) }

    /// Takes the rows one by one. At most one task at a time.
    public struct Iterator: AsyncIteratorProtocol {
        private let reader: RowReader
        @usableFromInline var rows: PostgresRows?
        @usableFromInline var place = 0

        init(_ reader: RowReader) { self.reader = reader }

        /// The next row; nil after the last. Parks the calling task when no row has arrived.
        ///
        /// - Throws: as `PostgresDatabase.query`, once: the next call returns nil.
        @inlinable
        public mutating func next() async throws -> PostgresRow? { try await next(isolation: #isolation) }

        /// The next row; nil after the last. Parks the calling task when no row has arrived.
        ///
        /// - Throws: as `PostgresDatabase.query`, once: the next call returns nil.
        @inlinable
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> PostgresRow? {
            if let rows, place < rows.count {
                defer { place += 1 }
                return rows[place]
            }
            return try await firstOfNextBatch(isolation: actor)
        }

        @usableFromInline
        mutating func firstOfNextBatch(isolation actor: isolated (any Actor)?) async throws -> PostgresRow? {
            // Let go first: their memory serves the next ones.
            rows = nil
            rows = try await reader.nextBatch()
            place = 1
            return rows?[0]
        }
    }
}

@ReactorActor extension PostgresRowStream {
    /// Runs `body` with row after row: the loop at its fastest, for a body that does not `await`.
    ///
    /// - Throws: what `body` throws, after the statement has been cancelled; as the iterator.
    public func forEachRow(_ body: (PostgresRow) throws -> Void) async throws {
        let reader = reader
        do {
            while let rows = try await reader.nextBatch() { try rows.forEach(body) }
        } catch {
            await reader.close()
            throw error
        }
    }
}

extension PostgresRowStream {
    /// As the `async` form, for synchronous code in a greenlet; `body` may wait.
    public func forEachRow(_ body: (PostgresRow) throws -> Void) throws {
        let reader = reader
        do {
            while let rows = try Greenlet.blockingCall({ try await reader.nextBatch() }) {
                try rows.forEach(body)
            }
        } catch {
            reader.closeFromGreenlet()
            throw error
        }
    }

    /// Lends the rows to `body` for a `for` loop, for synchronous code in a greenlet.
    ///
    /// ```swift
    /// try pool.stream("SELECT id FROM film").withRows { rows in
    ///     for row in rows { if try row.decode(Int64.self, at: 0) == wanted { break } }
    /// }
    /// ```
    /// A `for` loop cannot throw by itself: when the stream fails the loop ends, and this call throws the error when
    /// `body` has returned. To stop at the very row, use `forEachRow` or `rows.nextRow()`.
    /// - Throws: the stream's error; else what `body` throws; `GreenletError` with code `notInGreenlet`.
    public func withRows<T>(_ body: (PostgresStreamedRows) throws -> T) throws -> T {
        let rows = PostgresStreamedRows(reader)
        let result = Result { try body(rows) }
        rows.close()
        if let failure = rows.failure { throw failure }
        return try result.get()
    }
}

extension RowReader {
    /// Leaves the source and waits for the connection where that is possible.
    nonisolated func closeFromGreenlet() {
        // Outside a greenlet nothing has been read.
        guard Reactor.isOnAnyReactorThread else { return }
        ReactorActor.assumeIsolated { cleanUp { await self.close() } }
    }
}
