/// One row of a result.
public struct PostgresRow: Sendable {
    @usableFromInline let storage: PostgresRows.Storage

    /// Its place among the rows at hand.
    @usableFromInline let place: Int

    /// The row's place in its result, from 0. In a stream, too, rows are counted from its first.
    @inlinable public var index: Int { storage.firstRow + place }

    @usableFromInline
    init(storage: PostgresRows.Storage, place: Int) {
        self.storage = storage
        self.place = place
    }

    /// The columns of the result.
    @inlinable public var columns: PostgresColumns { storage.columns }

    /// Reads the value at a position, from 0.
    ///
    /// - Throws: `PostgresValueError` naming row, column, the type wanted and the type found; `.noSuchColumn` when
    ///   the result has fewer columns.
    @inlinable @inline(__always)
    public func decode<T: PostgresDecodable>(_ type: T.Type = T.self, at position: Int)
        throws(PostgresValueError) -> T
    {
        guard position >= 0 && position < storage.columnCount else { throw missing(position) }
        do {
            return try storage.withCell(row: place, column: position) { cell in try T.decode(cell) }
        } catch {
            throw placed(error, position)
        }
    }

    /// Reads the value of the named column. In a loop, resolve the name once with `columns.index(named:)`.
    ///
    /// - Throws: As `decode(_:at:)`; `.noSuchColumn` and `.ambiguousColumn`.
    public func decode<T: PostgresDecodable>(_ type: T.Type = T.self, named name: String)
        throws(PostgresValueError) -> T
    {
        try decode(type, at: columns.index(named: name))
    }

    /// Reads the first columns in order, `let (id, code) = try row.decode(Int64.self, String.self)`.
    ///
    /// - Throws: As `decode(_:at:)`.
    @inlinable
    public func decode<each Value: PostgresDecodable>(_ types: repeat (each Value).Type)
        throws(PostgresValueError) -> (repeat each Value)
    {
        var cursor = cursor()
        return try (repeat cursor.next((each Value).self))
    }

    /// Whether the value at a position is NULL; the position must exist.
    public func isNull(at position: Int) -> Bool {
        storage.withCell(row: place, column: position) { $0.isNull }
    }

    /// Looks at the value at a position in place; the position must exist and the cell must not escape.
    public func withCell<T>(at position: Int, _ body: (PostgresCell) throws -> T) rethrows -> T {
        try storage.withCell(row: place, column: position, body)
    }

    /// Reads the row from left to right.
    @inlinable
    public func cursor() -> Cursor {
        Cursor(row: self)
    }

    @usableFromInline @inline(never)
    func placed(_ error: any Error, _ position: Int) -> PostgresValueError {
        .placing(error, row: index, column: storage.columns[position])
    }

    @usableFromInline @inline(never)
    func missing(_ position: Int) -> PostgresValueError {
        var error = PostgresValueError(
            .noSuchColumn, "there is no column at position \(position); the result has \(columns.count)")
        error.row = index
        return error
    }

    /// Reads the values of a row in order.
    public struct Cursor {
        /// The row being read.
        public let row: PostgresRow
        /// The position of the next value.
        public var position = 0

        @usableFromInline
        init(row: PostgresRow) {
            self.row = row
        }

        /// Reads the next value.
        ///
        /// - Throws: As `PostgresRow.decode(_:at:)`; the cursor has moved on nevertheless.
        @inlinable @inline(__always)
        public mutating func next<T: PostgresDecodable>(_ type: T.Type = T.self) throws(PostgresValueError)
            -> T
        {
            defer { position += 1 }
            return try row.decode(type, at: position)
        }
    }
}
