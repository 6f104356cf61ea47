/// Splits SQL text at the semicolons where psql would send a statement.
///
/// Why a real splitter: several statements in one simple query are one implicit transaction, in which
/// `CREATE INDEX CONCURRENTLY` and its kind are refused; and an error that the server reports without a
/// position can only be placed in the file when statements are sent one by one.
///
/// A semicolon does not end a statement inside quotes, comments, parentheses (`CREATE RULE … DO (a; b)`), nor
/// between the `BEGIN` and `END` of an SQL-standard function body. For the last, psql's own heuristic is
/// followed: only after `CREATE [OR REPLACE] FUNCTION|PROCEDURE`, and `CASE` counts as an opener because it is
/// closed by `END` too.
enum StatementSplitter {
    /// The statements of `text` in order; text that is only white space and comments has none.
    ///
    /// - Parameter position: where `text` begins in its file; statements carry places counted from it.
    /// - Throws: `SQLSyntaxProblem` for a quote or comment that never ends, for a psql command (`\connect`), and
    ///   for `COPY … FROM STDIN`, whose data no runner of SQL files but psql can send.
    /// - Complexity: O(n).
    static func split(
        _ text: String, startingAt position: SourcePosition = SourcePosition()
    ) throws(SQLSyntaxProblem) -> [SQLStatement] {
        let bytes = Array(text.utf8)
        var lexer = SQLLexer(bytes)
        var statements: [SQLStatement] = []
        var current = PendingStatement()
        // Places are counted forward from the last one computed, so the whole is linear.
        var reached = (offset: 0, place: position)
        func place(_ offset: Int) -> SourcePosition {
            let between = String(decoding: bytes[reached.offset..<offset], as: UTF8.self)
            reached = (offset, reached.place.advanced(over: between.unicodeScalars))
            return reached.place
        }
        func finish() throws(SQLSyntaxProblem) {
            guard let range = current.range else {
                current = PendingStatement()
                return
            }
            let statement = SQLStatement(
                text: String(decoding: bytes[range], as: UTF8.self), start: place(range.lowerBound),
                normalized: String(decoding: current.normalized, as: UTF8.self), words: current.words)
            if statement.copiesFromClient {
                throw SQLSyntaxProblem(
                    message:
                        "COPY … FROM STDIN needs data that a migration cannot send; write INSERT … VALUES",
                    position: statement.start)
            }
            statements.append(statement)
            current = PendingStatement()
        }
        func nextToken() throws(SQLSyntaxProblem) -> SQLToken? {
            do {
                return try lexer.next()
            } catch {
                throw SQLSyntaxProblem(message: "unterminated \(error.what)", position: place(error.offset))
            }
        }
        while let token = try nextToken() {
            if token.kind == .backslash {
                throw SQLSyntaxProblem(
                    message: "psql commands (\\…) are not SQL and are not understood here",
                    position: place(token.range.lowerBound))
            }
            if token.kind == .semicolon, current.endsAtSemicolon {
                try finish()
            } else {
                current.add(token, of: bytes)
            }
        }
        try finish()
        return statements
    }
}

/// The statement being collected.
private struct PendingStatement {
    /// From the first to the last token that is neither white space nor comment; nil before the first.
    var range: Range<Int>?
    var normalized: [UInt8] = []
    var words: [String] = []

    private var needsSpace = false
    private var parenthesisDepth = 0
    private var blockDepth = 0
    private var wordCount = 0
    /// First letters of the leading `create`, `or`, `replace`, `function`, `procedure`; 0 for any other word.
    private var leading: (UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0)

    var endsAtSemicolon: Bool { parenthesisDepth == 0 && blockDepth == 0 }

    mutating func add(_ token: SQLToken, of bytes: [UInt8]) {
        switch token.kind {
        case .whitespace, .comment:
            needsSpace = range != nil
            return
        case .openParenthesis: parenthesisDepth += 1
        case .closeParenthesis: parenthesisDepth = max(0, parenthesisDepth - 1)
        case .word: addWord(String(decoding: bytes[token.range], as: UTF8.self).lowercased())
        case .quoted, .semicolon, .backslash, .other: break
        }
        if needsSpace { normalized.append(UInt8(ascii: " ")) }
        needsSpace = false
        normalized += bytes[token.range]
        range = (range?.lowerBound ?? token.range.lowerBound)..<token.range.upperBound
    }

    private mutating func addWord(_ word: String) {
        let mark: UInt8 =
            switch word {
            case "create", "or", "replace", "function", "procedure": word.utf8.first ?? 0
            default: 0
            }
        switch wordCount {
        case 0: leading.0 = mark
        case 1: leading.1 = mark
        case 2: leading.2 = mark
        case 3: leading.3 = mark
        default: break
        }
        wordCount += 1
        guard parenthesisDepth == 0 else { return }
        if words.count < 32 { words.append(word) }
        guard createsRoutine else { return }
        switch word {
        case "begin": blockDepth += 1
        case "case" where blockDepth > 0: blockDepth += 1
        case "end" where blockDepth > 0: blockDepth -= 1
        default: break
        }
    }

    private var createsRoutine: Bool {
        let (c, f, p, o, r) = (
            UInt8(ascii: "c"), UInt8(ascii: "f"), UInt8(ascii: "p"), UInt8(ascii: "o"), UInt8(ascii: "r")
        )
        guard leading.0 == c else { return false }
        if leading.1 == f || leading.1 == p { return true }
        return leading.1 == o && leading.2 == r && (leading.3 == f || leading.3 == p)
    }
}
