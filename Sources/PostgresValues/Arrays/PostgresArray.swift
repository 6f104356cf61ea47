/// An SQL array with its dimensions and lower bounds, where `[T]` and `[[T]]` would not tell enough.
///
/// ```swift
/// let array: PostgresArray<Int> = try row.decode(at: 0)      // '[2:3][0:1]={{1,2},{3,4}}'
/// array[3, 0]                                                // 3, by SQL's subscripts
/// ```
public struct PostgresArray<Element: PostgresArrayElement>: Sendable {
    /// How far one subscript runs.
    public struct Dimension: Hashable, Sendable {
        /// The first subscript, 1 unless said otherwise.
        public var lowerBound: Int32
        /// How many there are.
        public var count: Int

        /// Subscripts from `lowerBound`.
        public init(lowerBound: Int32 = 1, count: Int) {
            self.lowerBound = lowerBound
            self.count = count
        }
    }

    /// The dimensions, the outermost first; none for an empty array.
    public let dimensions: [Dimension]
    /// The elements, the last subscript running fastest.
    public let elements: [Element]

    /// An array of one dimension.
    public init(_ elements: [Element], lowerBound: Int32 = 1) {
        dimensions = elements.isEmpty ? [] : [Dimension(lowerBound: lowerBound, count: elements.count)]
        self.elements = elements
    }

    /// An array of several dimensions; nil when their product is not the number of elements, or there are more than
    /// six.
    public init?(_ elements: [Element], dimensions: [Dimension]) {
        var total = dimensions.isEmpty ? 0 : 1
        for dimension in dimensions {
            let (product, overflow) = total.multipliedReportingOverflow(by: dimension.count)
            guard dimension.count >= 0, !overflow else { return nil }
            total = product
        }
        guard total == elements.count, dimensions.count <= ArrayModel.maximumDimensions else { return nil }
        self.dimensions = elements.isEmpty ? [] : dimensions
        self.elements = elements
    }

    /// The element at SQL's subscripts, nil outside the bounds or for another number of subscripts, as SQL gives NULL.
    public subscript(subscripts: Int...) -> Element? {
        guard subscripts.count == dimensions.count, !subscripts.isEmpty else { return nil }
        var position = 0
        for (subscript_, dimension) in zip(subscripts, dimensions) {
            let offset = subscript_.subtractingReportingOverflow(Int(dimension.lowerBound)).partialValue
            guard offset >= 0 && offset < dimension.count else { return nil }
            position = position * dimension.count + offset
        }
        return elements[position]
    }
}

extension PostgresArray: Equatable where Element: Equatable {}
extension PostgresArray: Hashable where Element: Hashable {}

extension PostgresArray: PostgresEncodable {
    /// An SQL array with these dimensions.
    ///
    /// - Throws: `PostgresValueError(.conversion)` for a `PostgresArray` of arrays; what an element throws.
    public func postgresParameter() throws -> PostgresParameter {
        if let array = Element.self as? any PossibleSQLArray.Type, array.isSQLArray {
            throw PostgresValueError(
                .conversion, "the elements of a PostgresArray cannot be arrays; give dimensions")
        }
        return try ArrayModel(
            try elements.map { try $0.postgresParameter() }, null: Element.postgresNull,
            dimensions: dimensions.map { ArrayModel.Dimension(lowerBound: $0.lowerBound, count: $0.count) }
        ).parameter()
    }

    /// A NULL array.
    public static var postgresNull: PostgresParameter { Element.postgresNullArray }
}

extension PostgresArray: PostgresDecodable {
    /// Reads an array of any dimensions.
    ///
    /// - Throws: `PostgresValueError`: `.malformed`, `.typeMismatch`, `.unexpectedNull`; what an element throws.
    public static func decode(_ cell: PostgresCell) throws -> PostgresArray {
        let model = try ArrayModel(cell, wanted: Self.self)
        let elements: [Element] = try model.items.map { item in try model.decode(item) }
        let dimensions = model.dimensions.map { Dimension(lowerBound: $0.lowerBound, count: $0.count) }
        guard let array = PostgresArray(elements, dimensions: dimensions) else {
            throw cell.malformed(Self.self, "dimensions and elements disagree")
        }
        return array
    }
}
