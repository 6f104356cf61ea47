import Glibc

/// What statements have left behind in a session that the next borrower of its connection must not find.
///
/// Two things tell: command tags (SET, LISTEN, PREPARE, a cursor WITH HOLD), and names in the text of what runs as a SELECT or
/// under a tag that says too little (session-level advisory locks, `set_config`, temporary tables). A text is looked through
/// when it is new to the session; one of a prepared statement was looked through before, and is remembered when it was
/// suspicious. What functions and DO blocks do inside is not seen. A false alarm costs a reset, so when in doubt it is one.
struct SessionDirt {
    /// Whether anything is left behind that only a reset undoes.
    private(set) var isDirty = false
    /// Cursors of streams, WITH HOLD and not closed.
    private(set) var heldCursors: Set<String> = []
    /// The text of the last statement, for reports: bound values are not in it.
    private(set) var lastText = ""
    /// Suspicious texts, to be known again when they come as prepared statements.
    private var suspects: Set<String> = []
    private var looksAtAll = false

    /// A statement is about to run.
    ///
    /// - Parameters:
    ///   - isKnown: it has run in this session before.
    ///   - mayRepeat: it may come again as a known one, and so is to be remembered; scripts do not.
    mutating func note(_ text: String, isKnown: Bool = false, mayRepeat: Bool = true) {
        lastText = text
        if isKnown, !looksAtAll {
            if !suspects.isEmpty, suspects.contains(text) { isDirty = true }
            return
        }
        guard Self.isSuspicious(text) else { return }
        isDirty = true
        guard mayRepeat else { return }
        guard suspects.count < 256 else {
            looksAtAll = true
            suspects = []
            return
        }
        suspects.insert(text)
    }

    /// A statement has succeeded, and its command tag says what it was.
    ///
    /// - Parameter text: the statement's, when others were sent behind it.
    mutating func note(tag: UnsafePointer<CChar>, of text: String? = nil) {
        let text = text ?? lastText
        // The letters first: nearly all tags are SELECT, INSERT, UPDATE, DELETE, BEGIN and COMMIT.
        switch UInt8(bitPattern: tag.pointee) {
        case UInt8(ascii: "S"): if strcmp(tag, "SET") == 0, !Self.isLocalSetting(text) { isDirty = true }
        case UInt8(ascii: "R"): if strcmp(tag, "RESET") == 0 { isDirty = true }
        case UInt8(ascii: "L"): if strcmp(tag, "LISTEN") == 0 || strcmp(tag, "LOAD") == 0 { isDirty = true }
        case UInt8(ascii: "P"): if strcmp(tag, "PREPARE") == 0 { isDirty = true }
        case UInt8(ascii: "C"): if strcmp(tag, "CLOSE CURSOR ALL") == 0 { heldCursors.removeAll() }
        case UInt8(ascii: "D"):
            if strcmp(tag, "DECLARE CURSOR") == 0, Words(text).contains("hold") { isDirty = true }
            if strcmp(tag, "DISCARD ALL") == 0 {
                // Nothing of a borrower's is left, and nothing of what `onConnect` had set.
                clear()
                isDirty = true
            }
        default: break
        }
    }

    /// The session is as new.
    mutating func clear() {
        isDirty = false
        heldCursors.removeAll()
    }

    /// A cursor WITH HOLD is about to be made for a stream, which tells when it is closed.
    mutating func cursorIsHeld(_ name: String) { heldCursors.insert(name) }

    /// That cursor, or another one of a stream's, is gone.
    mutating func cursorIsClosed(_ name: String) { heldCursors.remove(name) }

    /// All of them are gone.
    mutating func cursorsAreClosed() { heldCursors.removeAll() }

    /// SET LOCAL and SET TRANSACTION end with the transaction; their tag is that of SET.
    private static func isLocalSetting(_ text: String) -> Bool {
        guard !text.utf8.contains(UInt8(ascii: ";")) else { return false }
        var words = Words(text)
        guard words.next() != nil else { return false }
        return words.next().map { words.matches($0, "local") || words.matches($0, "transaction") } ?? false
    }

    /// Whether a statement of that text would leave something behind, as far as the text tells; what its tag tells otherwise.
    static func leavesSomething(_ text: String) -> Bool {
        switch StatementKind.firstWord(text) {
        case "set": !isLocalSetting(text)
        case "reset", "listen", "unlisten", "load", "prepare", "deallocate", "discard":
            !isPreparedTransaction(text)
        case "declare": Words(text).contains("hold")
        default: isSuspicious(text)
        }
    }

    /// PREPARE TRANSACTION belongs to no session.
    private static func isPreparedTransaction(_ text: String) -> Bool {
        var words = Words(text)
        _ = words.next()
        return words.next().map { words.matches($0, "transaction") } ?? false
    }

    /// Whether the text names something that outlives its transaction.
    static func isSuspicious(_ text: String) -> Bool {
        var words = Words(text)
        var mayBeTemporary = false
        while let word = words.next() {
            switch word.count {
            case 4, 9:
                if mayBeTemporary, words.matches(word, "temp") || words.matches(word, "temporary") {
                    return true
                }
            case 7: if words.matches(word, "pg_temp") { return true }
            case 10:
                if words.matches(word, "set_config"), !words.argumentsEndInTrue(after: word) { return true }
            case 16, 20, 23, 27:
                for name in lockFunctions where words.matches(word, name) { return true }
            default: break
            }
            mayBeTemporary = temporaryAfter.contains { words.matches(word, $0) }
        }
        return false
    }

    private static let temporaryAfter: [StaticString] = ["create", "replace", "local", "global", "into"]
    private static let lockFunctions: [StaticString] = [
        "pg_advisory_lock", "pg_try_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock_shared",
    ]
}

/// The words of an SQL text, without regard to quotes and comments: what is quoted may be code.
private struct Words {
    private let bytes: String.UTF8View
    private var position: String.UTF8View.Index

    struct Word {
        let range: Range<String.UTF8View.Index>
        let count: Int
    }

    init(_ text: String) {
        bytes = text.utf8
        position = bytes.startIndex
    }

    mutating func next() -> Word? {
        while position < bytes.endIndex, !Self.isPart(bytes[position]) { bytes.formIndex(after: &position) }
        guard position < bytes.endIndex else { return nil }
        let start = position
        var count = 0
        while position < bytes.endIndex, Self.isPart(bytes[position]) {
            bytes.formIndex(after: &position)
            count += 1
        }
        return Word(range: start..<position, count: count)
    }

    /// Whether the word is `name`, which is in lower case.
    func matches(_ word: Word, _ name: StaticString) -> Bool {
        guard word.count == name.utf8CodeUnitCount else { return false }
        var letter = name.utf8Start
        for byte in bytes[word.range] {
            // The underscore and the digits have the bit already, or do not fold into a letter.
            guard byte | 0x20 == letter.pointee | 0x20 else { return false }
            letter += 1
        }
        return true
    }

    func contains(_ name: StaticString) -> Bool {
        var rest = self
        while let word = rest.next() { if matches(word, name) { return true } }
        return false
    }

    /// Whether the first parenthesis to close after the word closes after the word `true`.
    func argumentsEndInTrue(after word: Word) -> Bool {
        var rest = self
        rest.position = word.range.upperBound
        guard let end = bytes[rest.position...].firstIndex(of: UInt8(ascii: ")")) else { return false }
        var last: Word?
        while let next = rest.next(), next.range.upperBound <= end { last = next }
        return last.map { matches($0, "true") } ?? false
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
            || byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
            || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") || byte == UInt8(ascii: "_")
    }
}
