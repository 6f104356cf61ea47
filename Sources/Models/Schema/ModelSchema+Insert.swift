internal import PostgresValues

extension ModelSchema {
    /// `INSERT … RETURNING` of one value. An `id` that is nil is left out, so that the column's default applies.
    ///
    /// - Throws: `PostgresValueError` when a value cannot be bound.
    func insertStatement(_ model: M) throws -> SQL {
        var names: [String] = []
        var values = SQL()
        for (index, field) in fields.enumerated() {
            let parameter = try field.bind(model)
            if index == idIndex && parameter.bytes == nil { continue }
            if !names.isEmpty {
                values.append(raw: ", ")
            }
            names.append(SQL(ident: field.column).text)
            values.append(parameter)
        }
        if names.isEmpty {
            return SQL(raw: "INSERT INTO \(table) DEFAULT VALUES RETURNING \(columnList)")
        }
        let head = "INSERT INTO \(table) (\(names.joined(separator: ", "))) VALUES ("
        return "\(raw: head)\(values)) RETURNING \(raw: columnList)"
    }
}
