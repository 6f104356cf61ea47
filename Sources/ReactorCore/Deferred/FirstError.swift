/// The error that ended a list of Deferreds, and whose it was. Twisted's FirstError.
public struct FirstError: Error, Sendable, CustomStringConvertible {
    /// The member's place in the list.
    public let index: Int
    /// Its error.
    public let underlying: any Error

    /// `FirstError[#1, the error]`.
    public var description: String { "FirstError[#\(index), \(underlying)]" }
}

/// The errors of several Deferreds that failed together. Twisted's FailureGroup.
public struct FailureGroup: Error, Sendable, CustomStringConvertible {
    /// The errors, in the order of the Deferreds.
    public let errors: [any Error]

    init(_ errors: [any Error]) { self.errors = errors }

    /// The errors, a semicolon between them.
    public var description: String {
        "all \(errors.count) failed: \(errors.map { "\($0)" }.joined(separator: "; "))"
    }
}
