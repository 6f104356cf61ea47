/// Cuts SQL text into tokens by the rules of psql's scanner (`psqlscan.l`), as far as they decide where a
/// quoted piece or a comment ends.
///
/// In one thing the server is followed instead: a literal that goes on in the next line (`E'a'` line feed `'b\''`)
/// is still an escape string there; psql scans line by line and forgets.
///
/// Assumed, as everywhere since PostgreSQL 9.1: `standard_conforming_strings` is on, so a backslash escapes in
/// `E'…'` only. psql's variables (`:name`) are not expanded.
struct SQLLexer {
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// A quoted piece or a comment that never ends; `offset` is the byte where it starts.
    struct Unterminated: Error {
        let what: String
        let offset: Int
    }

    /// The next token, or nil at the end of the text.
    mutating func next() throws(Unterminated) -> SQLToken? {
        guard index < bytes.count else { return nil }
        let start = index
        let kind = try scan()
        return SQLToken(kind: kind, range: start..<index)
    }

    // MARK: - One token

    private mutating func scan() throws(Unterminated) -> SQLToken.Kind {
        let byte = bytes[index]
        // Comments come before everything else: in SQL `--` and `/*` start one even inside an operator.
        switch byte {
        case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"):
            skipLineComment()
            return .comment
        case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
            try skipBlockComment()
            return .comment
        case UInt8(ascii: "'"):
            try skipQuoted(by: byte, what: "quoted string", escapes: false, from: index)
            return .quoted
        case UInt8(ascii: "\""):
            try skipQuoted(by: byte, what: "quoted identifier", escapes: false, from: index)
            return .quoted
        case UInt8(ascii: "$"):
            return try scanDollar()
        case UInt8(ascii: ";"):
            index += 1
            return .semicolon
        case UInt8(ascii: "("):
            index += 1
            return .openParenthesis
        case UInt8(ascii: ")"):
            index += 1
            return .closeParenthesis
        case UInt8(ascii: "\\"):
            index += 1
            return .backslash
        default:
            break
        }
        if byte.isSQLSpace {
            repeat { index += 1 } while index < bytes.count && bytes[index].isSQLSpace
            return .whitespace
        }
        if byte.startsIdentifier {
            return try scanWord()
        }
        if byte.isDigit { skipNumber() } else { index += 1 }
        return .other
    }

    /// Digits and the letters that touch them: the `E` of `1E'x'` is junk behind a number to the server, and no
    /// prefix of a string.
    private mutating func skipNumber() {
        while let digit = peek(0), digit.isDigit { index += 1 }
        guard let letter = peek(0), letter.startsIdentifier else { return }
        while let letter = peek(0), letter.continuesIdentifier { index += 1 }
    }

    /// A word, or the quoted piece whose prefix it is. `fooe'x'` is the word `fooe` and a plain string: only a
    /// prefix that is a whole word counts.
    private mutating func scanWord() throws(Unterminated) -> SQLToken.Kind {
        let start = index
        repeat { index += 1 } while index < bytes.count && bytes[index].continuesIdentifier
        guard index - start == 1 else { return .word }
        switch (bytes[start] | 0x20, peek(0)) {
        case (UInt8(ascii: "e"), UInt8(ascii: "'")):
            try skipQuoted(by: UInt8(ascii: "'"), what: "quoted string", escapes: true, from: start)
            // A literal goes on after white space with a line feed in it, and then the escapes stay in force.
            while let next = continuationOfString() {
                index = next
                try skipQuoted(by: UInt8(ascii: "'"), what: "quoted string", escapes: true, from: start)
            }
        case (UInt8(ascii: "b"), UInt8(ascii: "'")), (UInt8(ascii: "x"), UInt8(ascii: "'")),
            (UInt8(ascii: "n"), UInt8(ascii: "'")):
            try skipQuoted(by: UInt8(ascii: "'"), what: "quoted string", escapes: false, from: start)
        case (UInt8(ascii: "u"), UInt8(ascii: "&")):
            guard let quote = peek(1), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
                return .word
            }
            index += 1
            let what = quote == UInt8(ascii: "'") ? "quoted string" : "quoted identifier"
            try skipQuoted(by: quote, what: what, escapes: false, from: start)
        default: return .word
        }
        return .quoted
    }

    /// `$1`, `$tag$…$tag$`, or a lone dollar sign. A dollar *inside* an identifier never gets here.
    private mutating func scanDollar() throws(Unterminated) -> SQLToken.Kind {
        let start = index
        index += 1
        if let byte = peek(0), byte.isDigit {
            skipNumber()
            return .other
        }
        var end = index
        if end < bytes.count, bytes[end].startsIdentifier {
            while end < bytes.count, bytes[end].continuesIdentifier, bytes[end] != UInt8(ascii: "$") {
                end += 1
            }
        }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "$") else { return .other }
        let delimiter = bytes[start...end]
        index = end + 1
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "$"), bytes[index...].starts(with: delimiter) {
                index += delimiter.count
                return .quoted
            }
            index += 1
        }
        throw Unterminated(what: "dollar-quoted string", offset: start)
    }

    // MARK: - Skipping

    private func peek(_ distance: Int) -> UInt8? {
        index + distance < bytes.count ? bytes[index + distance] : nil
    }

    private mutating func skipLineComment() {
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n"), bytes[index] != UInt8(ascii: "\r") {
            index += 1
        }
    }

    /// Block comments nest in PostgreSQL.
    private mutating func skipBlockComment() throws(Unterminated) {
        let start = index
        var depth = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                depth += 1
                index += 2
            } else if bytes[index] == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                depth -= 1
                index += 2
                if depth == 0 { return }
            } else {
                index += 1
            }
        }
        throw Unterminated(what: "comment", offset: start)
    }

    /// From the opening quote at `index` to past the closing one. A doubled quote reads as two adjacent
    /// literals, which end in the same place.
    private mutating func skipQuoted(
        by quote: UInt8, what: String, escapes: Bool, from start: Int
    ) throws(Unterminated) {
        index += 1
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == quote {
                guard peek(0) == quote else { return }
                index += 1
            } else if escapes, byte == UInt8(ascii: "\\"), index < bytes.count {
                index += 1
            }
        }
        throw Unterminated(what: what, offset: start)
    }

    /// Where the next segment of a string literal opens: white space and line comments with at least one line
    /// feed, then a quote.
    private func continuationOfString() -> Int? {
        var probe = self
        var sawLineFeed = false
        while let byte = probe.peek(0) {
            if byte == UInt8(ascii: "'") { return sawLineFeed ? probe.index : nil }
            if byte == UInt8(ascii: "-"), probe.peek(1) == UInt8(ascii: "-") {
                probe.skipLineComment()
            } else if byte.isSQLSpace {
                if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { sawLineFeed = true }
                probe.index += 1
            } else {
                return nil
            }
        }
        return nil
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

    /// Space, tab, line feed, vertical tab, form feed, carriage return.
    fileprivate var isSQLSpace: Bool { self == 0x20 || (self >= 0x09 && self <= 0x0D) }

    /// A letter, an underscore, or any byte of a character beyond ASCII.
    fileprivate var startsIdentifier: Bool {
        let lower = self | 0x20
        return (lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z")) || self == UInt8(ascii: "_")
            || self >= 0x80
    }

    fileprivate var continuesIdentifier: Bool { startsIdentifier || isDigit || self == UInt8(ascii: "$") }
}
