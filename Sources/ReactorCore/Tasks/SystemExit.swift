/// Thrown by the main function of `react`: the process ends with this code, and nothing is logged. Python's SystemExit.
public struct SystemExit: Error, Hashable, Sendable, CustomStringConvertible {
    /// What the process's parent gets to see; its low eight bits.
    public let code: Int32

    /// An end with `code`; zero for success.
    public init(_ code: Int32) { self.code = code }

    /// Names the code.
    public var description: String { "exit with code \(code)" }
}
