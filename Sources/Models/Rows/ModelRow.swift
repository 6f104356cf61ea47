public import PostgresValues

/// A row on its way to becoming a model's value: its cells in the order of the model's properties, whatever order
/// the result has them in.
public struct ModelRow: Sendable {
    /// The row as it came.
    public let row: PostgresRow
    /// For each property the position of its cell.
    let positions: [Int]
    let layout: ModelLayout
    private var property = 0

    init(row: PostgresRow, positions: [Int], layout: ModelLayout) {
        self.row = row
        self.positions = positions
        self.layout = layout
    }

    /// Reads the cell of the next property.
    ///
    /// - Throws: `PostgresValueError` naming row and column; `.noSuchColumn` behind the last property.
    public mutating func next<Value: PostgresDecodable>(_ type: Value.Type = Value.self)
        throws(PostgresValueError) -> Value
    {
        guard property < positions.count else {
            throw PostgresValueError(
                .noSuchColumn,
                "\(layout.typeName) has \(positions.count) stored properties; next() asks for more")
        }
        defer { property += 1 }
        return try row.decode(type, at: positions[property])
    }
}
