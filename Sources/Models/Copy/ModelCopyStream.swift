public import Postgres
import PostgresValues

extension Model {
    /// The whole table by COPY, however long: cheaper for the server than a SELECT, and only a part is in memory at a time. Sends
    /// nothing before the first value is asked for.
    ///
    /// ```swift
    /// for try await film in Film.copyOut(db) { index.add(film) }
    /// ```
    /// - Parameter timeout: for the whole of it, a slow consumer's time included; nil: no limit.
    public static func copyOut(_ db: any PostgresDatabase, timeout: Duration? = nil) -> ModelCopyStream<Self>
    {
        ModelCopyStream(db, timeout)
    }
}

/// The values of a table as they come; see `Model.copyOut(_:timeout:)` and, for what leaving early does, `PostgresRowStream`.
public struct ModelCopyStream<M: Model>: AsyncSequence, Sendable {
    private let db: any PostgresDatabase
    private let timeout: Duration?

    init(_ db: any PostgresDatabase, _ timeout: Duration?) {
        self.db = db
        self.timeout = timeout
    }

    private func rows(_ schema: ModelSchema<M>) -> PostgresRowStream {
        db.copyRows(table: SQL(raw: schema.table), columns: schema.fields.map(\.column), timeout: timeout)
    }

    /// An iterator. Any thread; never waits.
    public func makeAsyncIterator() -> Iterator {
        Iterator(
            rows: Result { () throws(ModelError) in rows(try ModelSchema<M>.shared()).makeAsyncIterator() })
    }

    /// Takes the values one by one. At most one task at a time.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate var rows: Result<PostgresRowStream.Iterator, ModelError>
        fileprivate var mapping: ModelRow.Mapping?

        /// The next value; nil after the last. Parks the calling task when none has arrived.
        ///
        /// - Throws: `ModelError` when the model is not declared as it must be; `PostgresValueError` naming row and column; as
        ///   `PostgresDatabase.query`.
        public mutating func next() async throws -> M? { try await next(isolation: #isolation) }

        /// The next value; nil after the last. Parks the calling task when none has arrived.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> M? {
            var iterator = try rows.get()
            defer { rows = .success(iterator) }
            guard let row = try await iterator.next(isolation: actor) else { return nil }
            return try M(row, &mapping)
        }
    }

    /// Runs `body` with value after value, for synchronous code in a greenlet; `body` may wait.
    ///
    /// - Throws: what `body` throws, after the COPY has been ended; as the iterator.
    public func forEach(_ body: (M) throws -> Void) throws {
        var mapping: ModelRow.Mapping?
        try rows(ModelSchema<M>.shared()).forEachRow { row in try body(M(row, &mapping)) }
    }
}

extension Model {
    /// The value of a row; `mapping` is made of the first.
    fileprivate init(_ row: PostgresRow, _ mapping: inout ModelRow.Mapping?) throws {
        let known = try mapping ?? ModelRow.Mapping(row.columns, ModelSchema<Self>.shared().layout)
        mapping = known
        var cells = ModelRow(row: row, mapping: known)
        try self.init(row: &cells)
    }
}
