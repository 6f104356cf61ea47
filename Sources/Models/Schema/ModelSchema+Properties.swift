@_spi(Reflection) internal import Swift

extension ModelSchema {
    /// The stored properties as the runtime's field metadata tell them; empty when the program has none.
    static func reflectedProperties() -> [(name: String, keyPath: PartialKeyPath<M>)] {
        var properties: [(name: String, keyPath: PartialKeyPath<M>)] = []
        let isComplete = _forEachFieldWithKeyPath(of: M.self) { name, keyPath in
            properties.append((String(cString: name), keyPath))
            return true
        }
        return isComplete ? properties : []
    }

    /// Gives each property its column: the one in `M.columns`, or its name in snake_case.
    ///
    /// - Throws: `ModelError`: `.reflectionMissing` when neither reflection nor `M.columns` tells the properties,
    ///   `.noProperties`, `.notStored`, `.duplicateColumn`.
    static func nameColumns(_ properties: [(name: String, keyPath: PartialKeyPath<M>)]) throws(ModelError)
        -> [(property: String?, keyPath: PartialKeyPath<M>, column: String)]
    {
        let explicit = M.columns
        var named: [(property: String?, keyPath: PartialKeyPath<M>, column: String)] = []
        if properties.isEmpty {
            guard MemoryLayout<M>.size > 0 else {
                throw ModelError(.noProperties, "\(M.self) has no stored properties, hence no columns")
            }
            guard !explicit.isEmpty else {
                throw ModelError(
                    .reflectionMissing,
                    "the stored properties of \(M.self) are unknown: the program was built with "
                        + "-disable-reflection-metadata, or \(M.self) is no struct; list them all, in order, in "
                        + "`static var columns: KeyValuePairs<PartialKeyPath<\(M.self)>, String>`")
            }
            named = explicit.map { (nil, $0.key, $0.value) }
        } else {
            named = properties.map { ($0.name, $0.keyPath, ColumnNaming.snakeCase($0.name)) }
            for (keyPath, column) in explicit {
                guard let index = named.firstIndex(where: { $0.keyPath == keyPath }) else {
                    throw ModelError(
                        .notStored, "\(M.self).columns names \(keyPath), which is not a stored property")
                }
                named[index].column = column
            }
        }
        let twice = Dictionary(grouping: named) { $0.column }.first { $0.value.count > 1 }
        if let twice {
            throw ModelError(
                .duplicateColumn, "\(M.self) has \(twice.value.count) properties for column \"\(twice.key)\"")
        }
        return named
    }
}
