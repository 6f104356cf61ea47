public import PostgresValues

/// What a row must fulfil, made by comparing columns and joined by `&&`, `||` and `!`.
///
/// SQL knows three truth values: a comparison with a NULL is neither true nor false, and neither is its `!`.
public struct Condition: Sendable {
    /// How the text binds, so that parentheses stand only where they are needed.
    enum Shape { case atom, and, or }

    let sql: SQL
    let shape: Shape
    let problem: QueryProblem?

    init(_ sql: SQL, shape: Shape = .atom, problem: QueryProblem? = nil) {
        self.sql = sql
        self.shape = shape
        self.problem = problem
    }

    /// A condition in SQL, `.sql("length(code) > \(n)")`; values are bound, and it is put in parentheses.
    public static func sql(_ fragment: SQL) -> Condition {
        Condition("(\(fragment))")
    }

    /// Both.
    public static func && (left: Condition, right: Condition) -> Condition {
        join(left, " AND ", right, as: .and)
    }

    /// At least one.
    public static func || (left: Condition, right: Condition) -> Condition {
        join(left, " OR ", right, as: .or)
    }

    /// Not so; still not fulfilled where the condition is unknown because of a NULL.
    public static prefix func ! (condition: Condition) -> Condition {
        Condition("NOT (\(condition.sql))", problem: condition.problem)
    }

    private static func join(_ left: Condition, _ word: String, _ right: Condition, as shape: Shape)
        -> Condition
    {
        var sql = left.operand(of: shape)
        sql.append(raw: word)
        sql.append(right.operand(of: shape))
        return Condition(sql, shape: shape, problem: left.problem ?? right.problem)
    }

    private func operand(of outer: Shape) -> SQL {
        shape == .atom || shape == outer ? sql : "(\(sql))"
    }
}
