public import PostgresValues

/// What a row must fulfil, made by comparing columns and joined by `&&`, `||` and `!`.
///
/// SQL knows three truth values: a comparison with a NULL is neither true nor false, and neither is its `!`.
public struct Condition: Sendable {
    /// How the text binds, so that parentheses stand only where they are needed.
    enum Shape { case atom, and, or }

    let sql: SQL
    let shape: Shape
    let problem: ModelError?

    init(_ sql: SQL, shape: Shape = .atom, problem: ModelError? = nil) {
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
        Condition(
            "\(left.operand(of: .and)) AND \(right.operand(of: .and))", shape: .and,
            problem: left.problem ?? right.problem)
    }

    /// At least one.
    public static func || (left: Condition, right: Condition) -> Condition {
        Condition(
            "\(left.operand(of: .or)) OR \(right.operand(of: .or))", shape: .or,
            problem: left.problem ?? right.problem)
    }

    /// Not so; still not fulfilled where the condition is unknown because of a NULL.
    public static prefix func ! (condition: Condition) -> Condition {
        Condition("NOT (\(condition.sql))", problem: condition.problem)
    }

    private func operand(of outer: Shape) -> SQL {
        shape == .atom || shape == outer ? sql : "(\(sql))"
    }
}
