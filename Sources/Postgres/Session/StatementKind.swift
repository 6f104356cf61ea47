/// What a statement is, by its first word. Cheap: it is asked for every statement of a pipeline.
enum StatementKind {
    /// It is planned, so that preparing it is worth while: `SELECT`, `INSERT`, `UPDATE`, `DELETE`, `WITH`, `VALUES`…
    case planned
    /// It moves rows outside the protocol of queries.
    case copy
    /// It begins, ends or divides a transaction.
    case transactionControl
    case other

    init(_ text: String) {
        switch Self.firstWord(text) {
        case "select", "insert", "update", "delete", "with", "values", "table", "merge": self = .planned
        case "copy": self = .copy
        case "begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare":
            self = .transactionControl
        default: self = .other
        }
    }

    /// Whether other callers' statements may be run by the same session before and after it.
    static func isShareable(_ text: String) -> Bool {
        StatementKind(text) == .planned && !touchesSession(text)
    }

    /// Whether it reads and no more, as far as the text tells, and waits for no row that somebody else has locked. Errs towards
    /// no, which costs only speed. What functions do inside is not seen.
    static func isPlainRead(_ text: String) -> Bool {
        switch firstWord(text) {
        case "select", "values", "table", "with":
            !touchesSession(text) && !words(of: text).contains(where: isOfWrite)
        default: false
        }
    }

    /// SELECT … INTO, WITH x AS (DELETE …), and FOR UPDATE and FOR SHARE, wherever comments are.
    private static func isOfWrite(_ word: Substring) -> Bool {
        switch word {
        case "insert", "update", "delete", "merge", "into", "share": true
        default: false
        }
    }

    private static func words(of text: String) -> [Substring] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "_" }
    }

    /// The first word in small letters, behind blanks, comments and parentheses; of a long one the beginning.
    static func firstWord(_ text: String) -> String {
        text.utf8.withContiguousStorageIfAvailable { firstWord($0) }
            ?? Array(text.utf8).withUnsafeBufferPointer { firstWord($0) }
    }

    private static func firstWord(_ text: UnsafeBufferPointer<UInt8>) -> String {
        func isAt(_ place: Int, _ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Bool {
            place + 1 < text.count && text[place] == UInt8(ascii: first)
                && text[place + 1] == UInt8(ascii: second)
        }
        var place = 0
        var depth = 0
        while place < text.count {
            if isAt(place, "/", "*") {
                depth += 1
                place += 2
            } else if depth > 0 {
                let isEnd = isAt(place, "*", "/")
                if isEnd { depth -= 1 }
                place += isEnd ? 2 : 1
            } else if isAt(place, "-", "-") {
                while place < text.count, text[place] != UInt8(ascii: "\n") { place += 1 }
            } else if isSkipped(text[place]) {
                place += 1
            } else {
                break
            }
        }
        let letters = text[place...].prefix(12).prefix { isLetter($0) }
        return String(unsafeUninitializedCapacity: letters.count) { word in
            for (position, letter) in letters.enumerated() { word[position] = letter | 0x20 }
            return letters.count
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
    }

    private static func isSkipped(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte >= 9 && byte <= 13 || byte == UInt8(ascii: "(")
            || byte == UInt8(ascii: ";")
    }

    /// Whether it seems to use what belongs to a session: advisory locks, parameters, temporary tables. Errs towards yes,
    /// which costs only speed.
    private static func touchesSession(_ text: String) -> Bool {
        var previous: Substring = ""
        for word in words(of: text) {
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
