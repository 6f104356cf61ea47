import PostgresValues
import Testing

@Suite struct CellBlockTests {
    private static let columns = PostgresColumns([
        PostgresColumn(name: "a", oid: .bytea, format: .binary, index: 0),
        PostgresColumn(name: "b", oid: .bytea, format: .binary, index: 1),
        PostgresColumn(name: "c", oid: .bytea, format: .binary, index: 2),
    ])

    private static func read(_ builder: PostgresRows.Builder) throws -> [[UInt8]?] {
        try builder.finish().flatMap { row in try (0..<3).map { try row.decode([UInt8]?.self, at: $0) } }
    }

    @Test(arguments: [0, 1, 1000])
    func cellsOfAnySizeAreReadBackHoweverManyWereExpected(expected: Int) throws {
        var random = SeededGenerator(state: 7)
        let cells: [[UInt8]?] = (0..<3000).map { place in
            if random.next() % 5 == 0 { return nil }
            let length = place % 50 == 0 ? Int(random.next() % 5000) : place % 20
            return (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        }
        var one = PostgresRows.Builder(
            columns: Self.columns, expectedRows: expected, expectedBytes: expected * 8)
        var together = one
        for cell in cells { one.append(cell) }
        for row in stride(from: 0, to: cells.count, by: 3) {
            let bytes = cells[row..<(row + 3)].map {
                $0.map { bytes in UnsafeMutableRawBufferPointer.copy(bytes) }
            }
            together.append(cells: 3) { position in bytes[position].map { UnsafeRawBufferPointer($0) } }
            for bytes in bytes { bytes?.deallocate() }
        }
        #expect(one.byteCount == cells.reduce(0) { $0 + ($1?.count ?? 0) } && one.cellCount == cells.count)
        #expect(try Self.read(one) == cells)
        #expect(try Self.read(together) == cells)
    }

    @Test func aCopyOfABuilderGoesItsOwnWay() throws {
        var one = PostgresRows.Builder(columns: Self.columns)
        for byte: UInt8 in 1...3 { one.append([byte]) }
        var other = one
        let rows = one.finish()
        for byte: UInt8 in 4...6 { other.append([byte]) }
        for _ in 0..<3 { one.appendNull() }
        #expect(try Self.read(other) == (1...6).map { [$0] })
        #expect(try Self.read(one) == [[1], [2], [3], nil, nil, nil])
        #expect(try rows.map { try $0.decode([UInt8].self, at: 2) } == [[3]])
    }

    @Test func rowsOutliveTheirResult() throws {
        func last() -> PostgresRow {
            var builder = PostgresRows.Builder(columns: Self.columns)
            for place in 0..<300 { builder.append(Array(repeating: UInt8(place % 256), count: place)) }
            return builder.finish()[99]
        }
        #expect(try last().decode([UInt8].self, at: 2) == Array(repeating: 43, count: 299))
        var cursor = last().cursor()
        #expect(try cursor.next([UInt8].self).count == 297)
    }

    @Test func forEachVisitsAllRowsAndStopsAtAnError() throws {
        var builder = PostgresRows.Builder(columns: Self.columns)
        for place: UInt8 in 0..<30 { builder.append([place]) }
        let rows = builder.finish()
        var seen: [UInt8] = []
        try rows.forEach { seen.append(try $0.decode([UInt8].self, at: 0)[0]) }
        #expect(seen == Array(stride(from: 0, to: 30, by: 3)))
        #expect(throws: CancellationError.self) {
            try rows.forEach { if $0.index == 4 { throw CancellationError() } else { seen.append(0) } }
        }
        #expect(seen.count == 14)
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate static func copy(_ bytes: [UInt8]) -> Self {
        let copy = allocate(byteCount: bytes.count, alignment: 1)
        copy.copyBytes(from: bytes)
        return copy
    }
}
