extension PostgresRows {
    /// Gathers cells, row by row, into one block of bytes.
    public struct Builder {
        private let columns: PostgresColumns
        @usableFromInline var cells: CellBlock

        /// Starts a result; the expected sizes, where known, spare re-allocation.
        public init(columns: PostgresColumns, expectedRows: Int = 0, expectedBytes: Int = 0) {
            self.columns = columns
            cells = CellBlock(byteCapacity: expectedBytes, cellCapacity: expectedRows * columns.count)
        }

        /// Starts a result of columns that are used once.
        public init(columns: [PostgresColumn], expectedRows: Int = 0, expectedBytes: Int = 0) {
            self.init(
                columns: PostgresColumns(columns), expectedRows: expectedRows, expectedBytes: expectedBytes)
        }

        /// The number of cells appended so far.
        public var cellCount: Int { cells.cellCount }

        /// The number of bytes that these have.
        @inlinable public var byteCount: Int { cells.byteCount }

        /// The block, which is not shared with a copy of this builder.
        @inlinable @inline(__always)
        mutating func own() -> CellBlock {
            if !isKnownUniquelyReferenced(&cells) { cells = cells.copy() }
            return cells
        }

        /// Appends so many cells, which `cell` tells by their position; copies their bytes. Nil is NULL.
        @inlinable @inline(__always)
        public mutating func append(cells count: Int, _ cell: (Int) -> UnsafeRawBufferPointer?) {
            let cells = own()
            for position in 0..<count { cells.append(cell(position)) }
        }

        /// Appends the next cell of the row, copying its bytes; nil is NULL.
        public mutating func append(_ cell: UnsafeRawBufferPointer?) {
            own().append(cell)
        }

        /// Appends the next cell of the row, as libpq tells it; a nil pointer is NULL.
        public mutating func append(_ start: UnsafePointer<CChar>?, length: Int) {
            append(start.map { UnsafeRawBufferPointer(start: $0, count: length) })
        }

        /// Appends the next cell of the row from bytes at hand; nil is NULL.
        public mutating func append(_ cell: [UInt8]?) {
            guard let cell else {
                appendNull()
                return
            }
            cell.withUnsafeBytes { append($0) }
        }

        /// Appends a NULL as the next cell of the row.
        public mutating func appendNull() {
            own().append(nil)
        }

        /// Ends the result.
        ///
        /// - Parameters:
        ///   - commandTag: What the server said it did.
        ///   - rowCount: Needed only for rows without columns (`SELECT FROM t`), which have no cells to count.
        ///   - firstRow: How many rows of the same result have come before these.
        public consuming func finish(commandTag: String = "", rowCount: Int? = nil, firstRow: Int = 0)
            -> PostgresRows
        {
            let rows = columns.isEmpty ? rowCount ?? 0 : cellCount / columns.count
            precondition(rows * columns.count == cellCount, "the last row is incomplete")
            precondition(rowCount == nil || rowCount == rows, "rowCount disagrees with the cells")
            return PostgresRows(
                storage: Storage(columns: columns, rowCount: rows, cells: cells, firstRow: firstRow),
                commandTag: commandTag)
        }
    }
}
