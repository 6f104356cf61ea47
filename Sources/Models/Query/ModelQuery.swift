public import PostgresValues

/// Which rows of a model's table are wanted, and in which order; a value that can be kept, extended and run again.
///
/// ```swift
/// let recent = Client.where { $0.packet.ilike("%x%") }.order { [$0.code.asc] }
/// let page = try recent.limit(20).offset(40).fetch(db)
/// let all = try recent.count(db)
/// ```
/// What is wrong with a query is reported when it runs.
public struct ModelQuery<M: Model>: Sendable {
    var condition: Condition?
    var order: [OrderTerm] = []
    var rowLimit: Int?
    var rowOffset: Int?

    /// All rows.
    public init() {}

    /// The same, with one more condition that must hold.
    public func `where`(_ condition: (ModelColumns<M>) -> Condition) -> ModelQuery {
        adding(condition(ModelColumns()))
    }

    /// The same, with one more condition, in SQL; values are bound: `.where(sql: "length(code) > \(n)")`.
    public func `where`(sql: SQL) -> ModelQuery {
        adding(.sql(sql))
    }

    /// The same, sorted; further keys decide where those before them are equal.
    public func order(_ terms: (ModelColumns<M>) -> [OrderTerm]) -> ModelQuery {
        var query = self
        query.order += terms(ModelColumns())
        return query
    }

    /// The same, at most so many rows.
    public func limit(_ count: Int) -> ModelQuery {
        precondition(count >= 0, "a limit is not negative")
        var query = self
        query.rowLimit = count
        return query
    }

    /// The same without the first so many rows.
    public func offset(_ count: Int) -> ModelQuery {
        precondition(count >= 0, "an offset is not negative")
        var query = self
        query.rowOffset = count
        return query
    }

    private func adding(_ more: Condition) -> ModelQuery {
        var query = self
        query.condition = condition.map { $0 && more } ?? more
        return query
    }
}
