// SQL's arrays of several dimensions are rectangles of one type, `int8[]` whatever their depth; Swift's are arrays of
// arrays, which may be ragged and are refused then. An array of byte arrays is a `bytea[]` of one dimension.
extension Array: PostgresArrayElement where Element: PostgresArrayElement {
    /// An SQL array of one dimension more, or a `bytea[]` for `[[UInt8]]`.
    ///
    /// - Throws: `PostgresValueError(.conversion)` when the parts differ in length, or for more than six dimensions; what an
    ///   element throws.
    public static func encodeArray(_ elements: [[Element]]) throws -> PostgresParameter {
        let parts = try elements.map { try $0.postgresParameter() }
        guard isSQLArray else { return try ArrayModel(parts, null: postgresNull).parameter() }
        return try nest(try parts.map { try ArrayModel($0, wanted: Self.self) })
    }

    /// A NULL array of the elements' type, which does not tell its dimensions.
    public static var postgresNullArray: PostgresParameter {
        isSQLArray ? Element.postgresNullArray : .null(postgresNull.oid.array ?? .inferred)
    }

    /// Reads an SQL array of one dimension more, or a `bytea[]` for `[[UInt8]]`; lower bounds are dropped.
    ///
    /// - Throws: `PostgresValueError(.malformed)` for an array of other dimensions than the Swift type has; what an element
    ///   throws.
    public static func decodeArray(_ cell: PostgresCell) throws -> [[Element]] {
        guard isSQLArray else { return try ArrayDecoding.decode(cell) }
        let model = try ArrayModel(cell, wanted: [Self].self)
        guard let first = model.dimensions.first else { return [] }
        guard model.dimensions.count > 1 else {
            throw cell.malformed([Self].self, "it has only one dimension")
        }
        let inner = Array<ArrayModel.Dimension>(model.dimensions.dropFirst())
        let length = model.items.count / first.count
        return try (0..<first.count).map { position in
            let part = ArrayModel(
                dimensions: inner, element: model.element, format: model.format,
                items: Array<[UInt8]?>(model.items[(position * length)..<((position + 1) * length)]))
            let bytes = part.format == .binary ? part.binary() : part.text()
            return try bytes.withUnsafeBytes {
                try Self.decode(PostgresCell(oid: cell.oid, format: part.format, bytes: $0))
            }
        }
    }

    private static func nest(_ parts: [ArrayModel]) throws(PostgresValueError) -> PostgresParameter {
        var parts = parts
        if let mixed = parts.first,
            parts.contains(where: { $0.format != mixed.format || $0.element != mixed.element })
        {
            for position in parts.indices {
                parts[position] = try parts[position].inText()
                parts[position].element = .inferred
            }
        }
        guard let first = parts.first else {
            let null = postgresNullArray
            return try ArrayModel(
                [], null: .null(null.oid.arrayElement ?? .inferred)
            ).parameter()
        }
        guard parts.allSatisfy({ $0.dimensions == first.dimensions }) else {
            throw PostgresValueError(
                .conversion, "an SQL array must be rectangular; the parts of this one differ in length")
        }
        let dimensions = [ArrayModel.Dimension(lowerBound: 1, count: parts.count)] + first.dimensions
        guard dimensions.count <= ArrayModel.maximumDimensions else {
            throw PostgresValueError(.conversion, "an SQL array has at most six dimensions")
        }
        return try ArrayModel(
            dimensions: dimensions, element: first.element, format: first.format,
            items: parts.flatMap(\.items)
        ).parameter()
    }
}

/// Tells arrays that are SQL arrays from those of bytes, which are values.
protocol PossibleSQLArray {
    static var isSQLArray: Bool { get }
}

extension Array: PossibleSQLArray {
    static var isSQLArray: Bool { Element.self != UInt8.self }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement {
    /// An SQL array whose elements may be NULL.
    ///
    /// - Throws: `PostgresValueError(.conversion)` for optional arrays, as only elements can be NULL, not whole parts; what an
    ///   element throws.
    public static func encodeArray(_ elements: [Wrapped?]) throws -> PostgresParameter {
        if let array = Wrapped.self as? any PossibleSQLArray.Type, array.isSQLArray {
            throw PostgresValueError(
                .conversion, "a part of an SQL array cannot be NULL; bind a [\(Wrapped.self)]")
        }
        return try ArrayModel(try elements.map { try $0.postgresParameter() }, null: postgresNull).parameter()
    }
}
