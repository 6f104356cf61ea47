import PostgresValues

/// What a statement is, by its first word and by words that betray session state.
struct StatementKind: Equatable {
    /// It is planned, so that preparing it is worth while: `SELECT`, `INSERT`, `UPDATE`, `DELETE`, `WITH`, `VALUES`…
    var isPlanned = false
    /// It moves rows outside the protocol of queries.
    var isCopy = false
    /// It begins, ends or divides a transaction.
    var controlsTransaction = false
    /// Other sessions' statements may be run by the same one before and after it.
    var isShareable = false

    init(_ text: String) {
        let word = Self.firstWord(text.utf8)
        switch word {
        case "select", "insert", "update", "delete", "with", "values", "table", "merge":
            isPlanned = true
            isShareable = !Self.touchesSession(text)
        case "copy": isCopy = true
        case "begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare":
            controlsTransaction = true
        default: break
        }
    }

    /// The first word in small letters, behind blanks, comments and parentheses.
    static func firstWord(_ text: String.UTF8View) -> String {
        var rest = text[...]
        var depth = 0
        while let byte = rest.first {
            if rest.starts(with: "/*".utf8) {
                depth += 1
                rest = rest.dropFirst(2)
            } else if depth > 0 {
                if rest.starts(with: "*/".utf8) {
                    depth -= 1
                    rest = rest.dropFirst()
                }
                rest = rest.dropFirst()
            } else if rest.starts(with: "--".utf8) {
                rest = rest.drop { $0 != UInt8(ascii: "\n") }
            } else if isBlank(byte) || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ";") {
                rest = rest.dropFirst()
            } else {
                break
            }
        }
        let word = rest.prefix { $0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z") }
        return String(Substring(word)).lowercased()
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte >= 9 && byte <= 13
    }

    /// Whether it seems to use what belongs to a session: advisory locks, parameters, temporary tables. Errs towards yes,
    /// which costs only speed.
    private static func touchesSession(_ text: String) -> Bool {
        var previous: Substring = ""
        let words = text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "_" }
        for word in words {
            if word.contains("advisory") || word.hasPrefix("pg_temp") || word.hasPrefix("dblink") {
                return true
            }
            switch word {
            case "set_config": return true
            case "temp", "temporary", "local", "global": if previous == "into" { return true }
            default: break
            }
            previous = word
        }
        return false
    }
}
