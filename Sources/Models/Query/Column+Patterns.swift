internal import PostgresValues

extension Column where Value == String {
    /// Matches the pattern, in which `%` is any text, `_` any character and `\` takes the next one as it is.
    public func like(_ pattern: String) -> Condition { condition("LIKE \(pattern)") }

    /// As `like`, without regard to case.
    public func ilike(_ pattern: String) -> Condition { condition("ILIKE \(pattern)") }
}

extension Column where Value == String? {
    /// Matches the pattern, in which `%` is any text, `_` any character and `\` takes the next one as it is.
    public func like(_ pattern: String) -> Condition { condition("LIKE \(pattern)") }

    /// As `like`, without regard to case.
    public func ilike(_ pattern: String) -> Condition { condition("ILIKE \(pattern)") }
}
