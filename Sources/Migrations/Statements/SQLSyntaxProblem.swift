/// Why SQL text cannot be split into statements, and where.
public struct SQLSyntaxProblem: Error, Hashable, Sendable {
    /// What is wrong, in words for the author of the file.
    public let message: String
    /// Where it starts.
    public let position: SourcePosition
}
