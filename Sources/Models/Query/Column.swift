/// A column of a model, to be compared in `where` and sorted by in `order`.
///
/// The comparison decides by type: what the property could not be compared with in Swift does not compile.
public struct Column<Value>: Sendable {
    /// Quoted, with its table.
    let sql: String
    /// Why the column cannot be used, reported when the query runs.
    let problem: QueryProblem?

    /// Sorts by this column, smallest first, NULL last.
    public var asc: OrderTerm { OrderTerm(sql: "\(sql) ASC", problem: problem) }

    /// Sorts by this column, largest first, NULL first.
    public var desc: OrderTerm { OrderTerm(sql: "\(sql) DESC", problem: problem) }
}

/// One key of a sort order.
public struct OrderTerm: Sendable {
    let sql: String
    let problem: QueryProblem?

    /// The same with NULL before everything else.
    public var nullsFirst: OrderTerm { OrderTerm(sql: "\(sql) NULLS FIRST", problem: problem) }

    /// The same with NULL behind everything else.
    public var nullsLast: OrderTerm { OrderTerm(sql: "\(sql) NULLS LAST", problem: problem) }
}
