/// What failed in one `withGreenlets`, when that was more than one thing.
public struct GreenletScopeError: Error, Sendable, CustomStringConvertible {
    /// The errors of its greenlets and of its body, who failed first in front.
    public let errors: [any Error]

    /// The errors, a semicolon between them.
    public var description: String {
        "\(errors.count) failed: \(errors.map { "\($0)" }.joined(separator: "; "))"
    }
}
