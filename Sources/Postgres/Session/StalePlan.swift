import PostgresValues

extension PostgresError {
    /// Whether a prepared form of the statement may be out of date, and nothing of it was run: then it is to be forgotten, and the
    /// statement may be run as it is written.
    ///
    /// The server says so of results that have changed their shape, and of names that it does not know. It says nothing of types
    /// that it once inferred for values, and keeps to them whatever has become of the columns since: a value is refused for a
    /// type that nobody asks for any more, or that is gone. So each refusal of a value whose type was inferred, and of the text
    /// at its analysis, may be one.
    func isOfStalePlan(of sql: SQL) -> Bool {
        if isStalePlan { return true }
        guard let server, sql.parameters.contains(where: { $0.oid == .inferred }) else { return false }
        guard let context = server.context else {
            // In the midst of a run there is no place in the text to be told, or a function's context.
            return server.sqlState.classCode == "42" && server.position != nil
        }
        return Self.namesValue(context)
    }

    /// Whether a context is, at its outermost, that of a value being bound: `unnamed portal parameter $1 = '...'`, in whatever
    /// language.
    private static func namesValue(_ context: String) -> Bool {
        guard let line = context.utf8.split(separator: UInt8(ascii: "\n")).last else { return false }
        return zip(line, line.dropFirst()).contains { sign, digit in
            sign == UInt8(ascii: "$") && (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(digit)
        }
    }
}
