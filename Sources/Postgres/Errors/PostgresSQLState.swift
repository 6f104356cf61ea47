/// The five-character code by which the server names what happened: `23505`, `40001`…
///
/// The first two characters are the class. Every condition of PostgreSQL 15's Appendix A has a constant of its name there:
/// `unique_violation` is `.uniqueViolation`. Names that stand there twice bear their class: `.warning…`, `.sqlRoutine…`,
/// `.externalRoutine…`.
public struct PostgresSQLState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The five characters.
    public let rawValue: String

    /// Wraps a code, known here or not.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The first two characters: the class, such as `23` for integrity violations.
    public var classCode: String { String(rawValue.prefix(2)) }

    /// The code itself.
    public var description: String { rawValue }
}
