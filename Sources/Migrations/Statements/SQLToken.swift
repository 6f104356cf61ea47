/// One lexical element of SQL text, as a range of its UTF-8 bytes.
struct SQLToken: Hashable {
    /// Only what the splitter and the checksum have to tell apart; numbers and operators are `other`.
    enum Kind: Hashable {
        case whitespace
        case comment
        /// A key word or an unquoted identifier.
        case word
        /// `'…'`, `E'…'` with its prefix, `"…"` or `$tag$…$tag$`.
        case quoted
        case semicolon
        case openParenthesis
        case closeParenthesis
        /// A backslash outside quotes: the start of a psql command.
        case backslash
        case other
    }

    let kind: Kind
    let range: Range<Int>
}
