public import PostgresValues

/// A row on its way to becoming a model's value: its cells in the order of the model's properties, whatever order
/// the result has them in.
public struct ModelRow: Sendable {
    /// The row as it came.
    public let row: PostgresRow
    @usableFromInline let mapping: Mapping
    @usableFromInline var property = 0

    init(row: PostgresRow, mapping: Mapping) {
        self.row = row
        self.mapping = mapping
    }

    /// Where in a result a model's properties are, found once for all its rows.
    @usableFromInline
    final class Mapping: Sendable {
        /// For each property the position of its cell.
        @usableFromInline let positions: [Int]
        let layout: ModelLayout

        /// - Throws: `PostgresValueError`: `.noSuchColumn`, `.ambiguousColumn`.
        init(_ columns: PostgresColumns, _ layout: ModelLayout) throws {
            positions = try layout.positions(in: columns)
            self.layout = layout
        }
    }

    /// Reads the cell of the next property.
    ///
    /// - Throws: `PostgresValueError` naming row and column; `.noSuchColumn` behind the last property.
    @inlinable
    public mutating func next<Value: PostgresDecodable>(_ type: Value.Type = Value.self)
        throws(PostgresValueError) -> Value
    {
        guard property < mapping.positions.count else {
            throw tooMany()
        }
        defer { property += 1 }
        return try row.decode(type, at: mapping.positions[property])
    }

    @usableFromInline
    func tooMany() -> PostgresValueError {
        PostgresValueError(
            .noSuchColumn,
            "\(mapping.layout.typeName) has \(mapping.positions.count) stored properties; next() asks for more"
        )
    }
}
