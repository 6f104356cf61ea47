public import PostgresValues

extension Column where Value: PostgresEncodable {
    /// Equal; with nil, `IS NULL`.
    public static func == (column: Column, value: Value) -> Condition {
        column.isNull(value) ? column.isNull : column.condition(" = ", value)
    }

    /// Not equal, where NULL counts as a value of its own, as nil does in Swift; with nil, `IS NOT NULL`.
    public static func != (column: Column, value: Value) -> Condition {
        guard Value.self is any OptionalValue.Type else { return column.condition(" <> ", value) }
        return column.isNull(value) ? column.isNotNull : column.condition(" IS DISTINCT FROM ", value)
    }

    /// Less than the value; with nil, no row.
    public static func < (column: Column, value: Value) -> Condition { column.condition(" < ", value) }

    /// At most the value; with nil, no row.
    public static func <= (column: Column, value: Value) -> Condition { column.condition(" <= ", value) }

    /// Greater than the value; with nil, no row.
    public static func > (column: Column, value: Value) -> Condition { column.condition(" > ", value) }

    /// At least the value; with nil, no row.
    public static func >= (column: Column, value: Value) -> Condition { column.condition(" >= ", value) }

    /// From the first to the second, both included.
    public func between(_ low: Value, _ high: Value) -> Condition {
        condition("BETWEEN \(low) AND \(high)")
    }

    /// Whether there is no value.
    public var isNull: Condition { condition("IS NULL") }

    /// Whether there is a value.
    public var isNotNull: Condition { condition("IS NOT NULL") }

    /// The column, an operator between spaces, the value.
    private func condition(_ comparison: String, _ value: Value) -> Condition {
        var condition = SQL(raw: sql)
        condition.append(raw: comparison)
        condition.append(value)
        return Condition(condition, problem: problem)
    }

    private func isNull(_ value: Value) -> Bool {
        guard let optional = value as? any OptionalValue else { return false }
        return optional.isNil
    }
}

extension Column where Value: PostgresArrayElement {
    /// One of the values, bound as one array: any number of them, and none means no row.
    public func `in`(_ values: [Value]) -> Condition { condition("= ANY(\(values))") }

    /// None of the values; no row whose column is NULL.
    public func notIn(_ values: [Value]) -> Condition { condition("<> ALL(\(values))") }
}

extension Column {
    /// Equal columns.
    public static func == (left: Column, right: Column) -> Condition { left.compared(" = ", right) }

    /// Columns that are not equal.
    public static func != (left: Column, right: Column) -> Condition { left.compared(" <> ", right) }

    /// The left column less than the right.
    public static func < (left: Column, right: Column) -> Condition { left.compared(" < ", right) }

    /// The left column at most the right.
    public static func <= (left: Column, right: Column) -> Condition { left.compared(" <= ", right) }

    /// The left column greater than the right.
    public static func > (left: Column, right: Column) -> Condition { left.compared(" > ", right) }

    /// The left column at least the right.
    public static func >= (left: Column, right: Column) -> Condition { left.compared(" >= ", right) }

    func condition(_ comparison: SQL) -> Condition {
        Condition("\(raw: sql) \(comparison)", problem: problem)
    }

    private func compared(_ comparison: String, _ other: Column) -> Condition {
        Condition(SQL(raw: sql + comparison + other.sql), problem: problem ?? other.problem)
    }
}

/// Asks an optional of whatever type whether it is nil.
private protocol OptionalValue {
    var isNil: Bool { get }
}

extension Optional: OptionalValue {
    fileprivate var isNil: Bool { self == nil }
}
