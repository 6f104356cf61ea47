import Testing

@testable import Migrations

/// The splitter against psql itself, on texts made of everything that is hard to split.
@Suite struct StatementSplitterOracleTests {
    private static let pieces = [
        "'", "'", "''", "E'", "e'", "\\'", "\\\\", "\"", "$$", "$$", "$a$", "$a$", "$1", "--", "--", "\n",
        "\n", "\n", "/*",
        "*/", ";", ";", ";", "; ", "(", ")", " begin ", " begin atomic ", " end ", "end;", " case ",
        "create function f",
        "create or replace procedure", " ", " ", "\t", "x", "select 1", "é", "U&'", "b'", "N'", "a$b", "1",
        "-", "/", "*",
    ]

    /// Texts that the splitter takes; those with an open quote or a psql command have tests of their own.
    private static func texts(count: Int) -> [String] {
        var random = SplitMix64(state: 20_261_121)
        var texts: [String] = []
        while texts.count < count {
            var text = ""
            for _ in 0..<Int.random(in: 3...24, using: &random) {
                text += pieces.randomElement(using: &random)!
            }
            // Of an escape string that goes on in the next line psql loses track, see SQLLexer.
            let goesOn = text.firstMatch(of: /(?i:e)'(?s:.*)'[ \t]*(--[^\n]*)?\n\s*(--[^\n]*\n\s*)*'/) != nil
            if !goesOn, (try? StatementSplitter.split(text)) != nil { texts.append(text) }
        }
        return texts
    }

    /// As the splitter does it, but taking psql's word that `statement` is one.
    private static func normalized(_ statement: String) -> String {
        let bytes = Array(statement.utf8)
        var lexer = SQLLexer(bytes)
        var result = ""
        var needsSpace = false
        while let token = try? lexer.next() {
            if token.kind == .whitespace || token.kind == .comment {
                needsSpace = !result.isEmpty
                continue
            }
            result += (needsSpace ? " " : "") + String(decoding: bytes[token.range], as: UTF8.self)
            needsSpace = false
        }
        if result.hasSuffix(";") { result.removeLast() }
        if result.hasSuffix(" ") { result.removeLast() }
        return result
    }

    @Test func agreesWithPsqlOnRandomTexts() throws {
        let texts = Self.texts(count: 1000)
        let sent = try PsqlOracle.statements(of: texts)
        try #require(sent.count == texts.count)
        for (text, sent) in zip(texts, sent) {
            // Comments and blank space between statements are each one's own affair, and so are empty statements.
            let ours = try StatementSplitter.split(text).map { Self.normalized($0.text) }
            let theirs = sent.map(Self.normalized).filter { $0 != "" }
            #expect(ours == theirs, "\(text.debugDescription) is sent as \(sent)")
        }
    }
}

private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
