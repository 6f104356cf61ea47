/// The index that a `CREATE INDEX CONCURRENTLY name ON table` makes: what to look for when it was interrupted.
struct ConcurrentIndex: Hashable {
    /// The index's name as the catalog has it: folded or unquoted.
    let name: String
    /// The table as written, possibly with schema and quotes: what `to_regclass()` reads.
    let table: String

    /// Nil when `statement` is none, or leaves the name of the index to the server.
    init?(_ statement: SQLStatement) {
        guard statement.commandRefusedInTransaction == "CREATE INDEX CONCURRENTLY" else { return nil }
        let bytes = Array(statement.normalized.utf8)
        var lexer = SQLLexer(bytes)
        var pieces: [String] = []
        // The statement has been split, so it lexes.
        while let token = try? lexer.next(), pieces.count < 16 {
            if token.kind != .whitespace {
                pieces.append(String(decoding: bytes[token.range], as: UTF8.self))
            }
        }
        guard let concurrently = pieces.firstIndex(where: { $0.lowercased() == "concurrently" }) else {
            return nil
        }
        var rest = pieces[(concurrently + 1)...]
        if rest.prefix(3).map({ $0.lowercased() }) == ["if", "not", "exists"] { rest = rest.dropFirst(3) }
        guard let name = rest.popFirst(), name.lowercased() != "on", rest.popFirst()?.lowercased() == "on"
        else {
            return nil
        }
        if rest.first?.lowercased() == "only" { rest = rest.dropFirst() }
        guard var table = rest.popFirst() else { return nil }
        while rest.first == ".", rest.count > 1 {
            table += "." + rest[rest.startIndex + 1]
            rest = rest.dropFirst(2)
        }
        self.name =
            name.hasPrefix("\"")
            ? String(name.dropFirst().dropLast()).replacing("\"\"", with: "\"") : name.lowercased()
        self.table = table
    }
}
