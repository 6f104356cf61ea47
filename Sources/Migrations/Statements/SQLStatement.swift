/// One SQL statement of a migration file, without its semicolon, and where it stands in the file.
public struct SQLStatement: Hashable, Sendable {
    /// From the first token to the last one; comments inside are kept.
    public let text: String
    /// Place of the first character of `text`.
    public let start: SourcePosition
    /// `text` with every run of white space and comments outside quotes made one space: what the checksum
    /// covers. Text inside quotes, so function bodies too, is untouched: the server stores it.
    public let normalized: String
    /// The unquoted words outside parentheses in lower case, at most the first 32.
    public let words: [String]

    /// The place in the file of character `position` (from 1) of this statement, as PostgreSQL reports it.
    ///
    /// - Complexity: O(n) in the length of the statement.
    public func place(ofCharacter position: Int) -> SourcePosition {
        start.advanced(over: text.unicodeScalars.prefix(max(0, position - 1)))
    }
}

extension SQLStatement {
    /// `begin`, `commit`, `rollback`, …: what would end or start the transaction that the runner owns.
    var isTransactionControl: Bool {
        switch words.first {
        case "begin", "commit", "end", "abort": true
        case "start", "prepare": words.dropFirst().first == "transaction"
        case "rollback": !words.dropFirst().prefix(2).contains("to")
        default: false
        }
    }

    /// The command's name when the server refuses it inside a transaction block, otherwise nil.
    var commandRefusedInTransaction: String? {
        let isConcurrent = words.prefix(6).contains("concurrently")
        switch words.first {
        case "create" where isConcurrent && words.prefix(3).contains("index"):
            return "CREATE INDEX CONCURRENTLY"
        case "drop" where isConcurrent && words.prefix(2).last == "index": return "DROP INDEX CONCURRENTLY"
        case "reindex" where isConcurrent: return "REINDEX CONCURRENTLY"
        case "vacuum": return "VACUUM"
        case "alter" where words.prefix(2).last == "system": return "ALTER SYSTEM"
        case "create", "drop":
            guard let kind = words.dropFirst().first, kind == "database" || kind == "tablespace" else {
                return nil
            }
            return "\(words[0]) \(kind)".uppercased()
        default: return nil
        }
    }

    /// Whether the statement copies from the client's standard input, which needs data after it.
    var copiesFromClient: Bool {
        guard words.first == "copy" else { return false }
        return zip(words, words.dropFirst()).contains { $0 == "from" && $1 == "stdin" }
    }

    /// Whether the statement waits for other transactions by design, so that a lock timeout would harm it.
    var runsConcurrently: Bool { words.contains("concurrently") }
}
