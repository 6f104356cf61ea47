/// Reads one-dimensional arrays.
enum ArrayDecoding {
    static func decode<T: PostgresDecodable>(_ cell: PostgresCell) throws -> [T] {
        guard cell.oid.arrayElement != nil || cell.oid.isOpaque else { throw cell.mismatch([T].self) }
        let bytes = try cell.required(for: [T].self)
        switch cell.format {
        case .binary: return try binary(bytes, cell)
        case .text:
            let model = try ArrayModel(cell, wanted: [T].self)
            guard model.dimensions.count <= 1 else { throw manyDimensions(cell, [T].self) }
            return try model.items.map { item in try model.decode(item) }
        }
    }

    /// Without taking the array apart first, for this is the usual form.
    private static func binary<T: PostgresDecodable>(_ bytes: UnsafeRawBufferPointer, _ cell: PostgresCell)
        throws -> [T]
    {
        var reader = PostgresBinaryReader(bytes, oid: cell.oid, wanted: [T].self)
        let dimensions = try reader.integer(Int32.self)
        _ = try reader.integer(Int32.self)
        let element = PostgresTypeOID(rawValue: try reader.integer())
        if dimensions == 0 { return [] }
        guard dimensions == 1 else { throw manyDimensions(cell, [T].self) }
        let count = Int(try reader.integer(Int32.self))
        _ = try reader.integer(Int32.self)
        var values: [T] = []
        // Each element takes four bytes at least: no claim in the header may reserve more.
        values.reserveCapacity(min(max(count, 0), reader.remaining / 4))
        for _ in 0..<max(count, 0) {
            let part = try reader.sized()
            values.append(try T.decode(PostgresCell(oid: element, format: .binary, bytes: part)))
        }
        return values
    }

    private static func manyDimensions(_ cell: PostgresCell, _ wanted: Any.Type) -> PostgresValueError {
        cell.malformed(wanted, "it has more than one dimension; read it as PostgresArray")
    }
}
