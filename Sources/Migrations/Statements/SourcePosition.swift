/// A place in a migration file: line and column, both counted from 1, columns in Unicode scalars.
///
/// PostgreSQL counts error positions in characters of the statement it was sent, so scalars (not bytes, not
/// grapheme clusters) are the unit in which the two can be added.
public struct SourcePosition: Hashable, Sendable, CustomStringConvertible {
    /// Line, the first is 1.
    public var line: Int
    /// Column in Unicode scalars, the first is 1.
    public var column: Int

    /// The first character of a text, or the given place.
    public init(line: Int = 1, column: Int = 1) {
        self.line = line
        self.column = column
    }

    /// `line:column`, as compilers write it.
    public var description: String { "\(line):\(column)" }

    /// This position moved over `scalars`: a line feed starts a new line, anything else is one column.
    ///
    /// - Complexity: O(n).
    public func advanced(over scalars: some Sequence<Unicode.Scalar>) -> SourcePosition {
        var result = self
        for scalar in scalars {
            if scalar == "\n" {
                result.line += 1
                result.column = 1
            } else {
                result.column += 1
            }
        }
        return result
    }
}
