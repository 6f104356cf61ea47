/// A statement that failed: where it stands, what the server said, and what is left of its migration.
public struct MigrationFailure: Hashable, Sendable {
    /// The migration's file as messages show it.
    public let path: String
    /// Which way it ran.
    public let direction: MigrationPlan.Direction
    /// The place the server pointed at, or the first character of the statement when it did not point.
    public let position: SourcePosition
    /// The file's line at `position`.
    public let line: String
    /// The number of the statement in its section, from 1.
    public let statementNumber: Int
    /// The number of statements in the section.
    public let statementCount: Int
    /// The five characters of the SQLSTATE; nil when the error did not come from the server.
    public let sqlState: String?
    /// The server's message, or why the connection was lost.
    public let message: String
    /// The server's DETAIL, which may hold values from rows.
    public let detail: String?
    /// The server's HINT.
    public let hint: String?
    /// The server's CONTEXT: the call stack inside functions and `DO` blocks, which may hold values.
    public let context: String?
    /// Whether statements before it have been committed and stay.
    public let isPartlyApplied: Bool

    /// What the operator reads: place, message, the line with a caret, what the server adds, what became of the
    /// migration, and what to do next.
    ///
    ///     Migrations/20261121090000_add_index.sql:3:15: column "nope" does not exist (SQLSTATE 42703)
    ///         create index on films (nope)
    ///                                ^
    ///     hint: …
    ///     rolled back: nothing of this file has been applied; mend it and run "migrate up" again
    ///
    /// - Parameter includingDetail: add the server's DETAIL and CONTEXT. They may quote row data: for an operator's terminal
    ///   only, not for logs.
    public func report(includingDetail: Bool = false) -> String {
        var lines = ["\(path):\(position): \(message)" + (sqlState.map { " (SQLSTATE \($0))" } ?? "")]
        if !line.isEmpty {
            // Tabs are kept in front of the caret, so that it stands below its character in any tab width.
            let before = line.unicodeScalars.prefix(max(0, position.column - 1))
            let indent = String(String.UnicodeScalarView(before.map { $0 == "\t" ? "\t" : " " }))
            lines += ["    \(line)", "    \(indent)^"]
        }
        if includingDetail, let detail { lines.append("detail: \(detail)") }
        if includingDetail, let context { lines.append("context: \(context)") }
        if let hint { lines.append("hint: \(hint)") }
        lines.append(outcome)
        return lines.joined(separator: "\n")
    }

    private var outcome: String {
        switch (direction, isPartlyApplied) {
        case (.up, false):
            "rolled back: nothing of this file has been applied; mend it and run \"migrate up\" again"
        case (.down, false):
            "rolled back: nothing of this file has been reverted; mend it and run \"migrate down\" again"
        case (.up, true):
            "partly applied: \(statementNumber - 1) of \(statementCount) statements are committed; mend statement "
                + "\(statementNumber) and run \"migrate up\" again, it resumes there"
        case (.down, true):
            "partly reverted: \(statementNumber - 1) of \(statementCount) statements are committed and the migration "
                + "still counts as applied; undo the rest by hand or mend the section"
        }
    }
}
