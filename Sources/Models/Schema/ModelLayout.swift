internal import PostgresValues

/// What reading rows needs to know of a model, the same for all its values.
final class ModelLayout: Sendable {
    /// The model's type, for messages.
    let typeName: String
    /// The columns in the order of the properties.
    let columns: [String]
    /// The properties' names; nil where reflection did not tell them.
    private let properties: [String?]
    private let indexByProperty: [String: Int]

    /// Up to so many properties, comparing their names one by one beats hashing.
    private static let walkLimit = 8

    init(typeName: String, properties: [String?], columns: [String]) {
        self.typeName = typeName
        self.properties = properties
        self.columns = columns
        var index: [String: Int] = [:]
        for (place, property) in properties.enumerated() {
            if let property {
                index[property] = place
            }
        }
        indexByProperty = index
    }

    /// The place of the property that a coding key means.
    func index(codingKey: String) -> Int? {
        if properties.count <= Self.walkLimit {
            if let place = properties.firstIndex(of: codingKey) { return place }
        } else if let place = indexByProperty[codingKey] {
            return place
        }
        // Without reflection a property is known by its column alone.
        guard indexByProperty.isEmpty else { return nil }
        return columns.firstIndex(of: ColumnNaming.snakeCase(codingKey)) ?? columns.firstIndex(of: codingKey)
    }

    /// Where in a result each property's column is.
    ///
    /// - Throws: `PostgresValueError`: `.noSuchColumn`, `.ambiguousColumn`.
    func positions(in result: PostgresColumns) throws -> [Int] {
        // The usual case, our own statements.
        if result.count == columns.count && zip(result, columns).allSatisfy({ $0.name == $1 }) {
            return Array(columns.indices)
        }
        return try columns.map { column in
            do {
                return try result.index(named: column)
            } catch var error as PostgresValueError {
                error.message = "\(typeName): \(error.message)"
                throw error
            }
        }
    }
}
