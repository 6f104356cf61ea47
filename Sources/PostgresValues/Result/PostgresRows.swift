/// The rows of a result, all in memory, in one block of bytes.
///
/// ```swift
/// for row in try await db.query("SELECT id, code FROM clients WHERE code = \(code)") {
///     var cell = row.cursor()
///     let (id, code) = (try cell.next(Int64.self), try cell.next(String.self))
/// }
/// ```
/// Values stay in the form in which they came until they are read. A row keeps the whole result alive.
public struct PostgresRows: RandomAccessCollection, Sendable {
    @usableFromInline let storage: Storage

    /// The server's command tag, `SELECT 3`, `INSERT 0 1`.
    public let commandTag: String

    /// The columns, also of a result without rows; empty for a statement that returns none.
    public var columns: PostgresColumns { storage.columns }

    /// Always 0.
    @inlinable public var startIndex: Int { 0 }

    /// The number of rows.
    @inlinable public var endIndex: Int { storage.rowCount }

    /// The row at a position. O(1), copies nothing.
    @inlinable
    public subscript(position: Int) -> PostgresRow {
        precondition(position >= 0 && position < storage.rowCount, "row index out of range")
        return PostgresRow(storage: storage, place: position)
    }

    /// Runs `body` with row after row; somewhat faster than a loop.
    @inlinable
    public func forEach(_ body: (PostgresRow) throws -> Void) rethrows {
        for place in 0..<storage.rowCount { try body(PostgresRow(storage: storage, place: place)) }
    }

    /// How many rows the statement selected, inserted, updated, deleted or copied: the number that ends the
    /// command tag, 0 when it ends with none (`CREATE TABLE`).
    public var affectedRows: Int {
        commandTag.split(separator: " ").last.flatMap { Int($0) } ?? 0
    }

    /// The cells of a result and what they are.
    @usableFromInline
    final class Storage: Sendable {
        @usableFromInline let columns: PostgresColumns
        @usableFromInline let columnCount: Int
        @usableFromInline let rowCount: Int
        /// The place of the first row in the whole result; not 0 for later parts of a stream.
        @usableFromInline let firstRow: Int
        /// Keeps the memory that the next two are about.
        private let cells: CellBlock
        // Sendable: nobody writes there any more.
        @usableFromInline nonisolated(unsafe) let bytes: UnsafeRawPointer
        @usableFromInline nonisolated(unsafe) let ends: UnsafePointer<Int>
        /// The columns' types once more: without the names there is nothing to retain when a cell is read.
        @usableFromInline let kinds: [PostgresColumns.Kind]

        init(columns: PostgresColumns, rowCount: Int, cells: CellBlock, firstRow: Int) {
            self.columns = columns
            self.columnCount = columns.count
            self.rowCount = rowCount
            self.firstRow = firstRow
            self.cells = cells
            bytes = UnsafeRawPointer(cells.bytes)
            ends = UnsafePointer(cells.ends)
            kinds = columns.kinds
        }

        /// Looks at a cell in place. The row is one that exists; the column is checked.
        @inlinable @inline(__always)
        func withCell<T>(row: Int, column: Int, _ body: (PostgresCell) throws -> T) rethrows -> T {
            // Keeps the bytes, too.
            try withExtendedLifetime(self) {
                let kind = kinds[column]
                let number = row * columnCount + column
                let end = ends[number + 1]
                guard end >= 0 else {
                    return try body(PostgresCell(oid: kind.oid, format: kind.format, bytes: nil))
                }
                let before = ends[number]
                let start = before >= 0 ? before : ~before
                let cell = UnsafeRawBufferPointer(start: bytes + start, count: end - start)
                return try body(PostgresCell(oid: kind.oid, format: kind.format, bytes: cell))
            }
        }
    }
}
