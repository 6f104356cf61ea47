import CLibPQ

/// libpq's own parser of connection strings, and what keeps its messages free of passwords.
enum ConnectionString {
    static func parse(_ text: String) throws(PostgresError) -> [String: String] {
        var complaint: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(text, &complaint) else {
            let message = complaint.map { String(cString: $0) } ?? "out of memory"
            PQfreemem(complaint)
            throw PostgresError(
                .invalidConfiguration,
                "the database URL is wrong: \(oneLine(redact(message, quoting: text)))")
        }
        defer { PQconninfoFree(options) }
        return values(options)
    }

    /// What libpq would take from the environment and its built-in table.
    static func defaults() -> [String: String] {
        guard let options = PQconndefaults() else { return [:] }
        defer { PQconninfoFree(options) }
        var defaults = values(options)
        // libpq finds it by itself; no need to hold it.
        defaults["password"] = nil
        return defaults
    }

    /// The names of libpq's settings.
    static let keywords: Set<String> = {
        guard let options = PQconndefaults() else { return [] }
        defer { PQconninfoFree(options) }
        var keywords: Set<String> = []
        var option = options
        while let keyword = option.pointee.keyword {
            keywords.insert(String(cString: keyword))
            option += 1
        }
        return keywords
    }()

    private static func values(_ options: UnsafeMutablePointer<PQconninfoOption>) -> [String: String] {
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return values
    }

    /// Mistakes that libpq reports badly or, worse, by quoting half of the password.
    static func mistake(in text: String) -> String? {
        if text.allSatisfy(\.isWhitespace) { return "it is empty" }
        // libpq would take what stands before it.
        if text.utf8.contains(0) { return "it contains U+0000" }
        // Anywhere else it is in a value, such as a password.
        if let scheme = text.firstRange(of: "://"), isScheme(text[..<scheme.lowerBound]) {
            let name = text[..<scheme.lowerBound]
            guard name == "postgres" || name == "postgresql" else {
                return "it begins with \"\(name.prefix(20))://\" instead of \"postgres://\""
            }
            let authority = text[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
            if authority.filter({ $0 == "@" }).count > 1 {
                return "it has several \"@\"; write one inside a name or password as %40"
            }
            // Where the password has a slash, its first half stands here.
            let places = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] }
            guard (places ?? authority).split(separator: ",").allSatisfy(hasGoodPort) else {
                return
                    "its port is no number; write \":\", \"/\" and \"?\" inside a name or password as %3A, %2F and %3F"
            }
            return nil
        }
        if !text.contains("=") {
            return "it is neither a URL (postgres://user@host/database) nor a list of keyword=value"
        }
        return nil
    }

    private static func isScheme(_ text: Substring) -> Bool {
        text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
    }

    /// Whether a place of a URL's list of hosts has a port that is a number, or none.
    private static func hasGoodPort(_ place: Substring) -> Bool {
        let rest = place.lastIndex(of: "]").map { place[$0...] } ?? place
        guard let colon = rest.lastIndex(of: ":") else { return true }
        return rest[rest.index(after: colon)...].allSatisfy { $0.isASCII && $0.isNumber }
    }

    /// Takes out of libpq's complaint whatever it quotes, unless that is plainly a keyword.
    ///
    /// libpq quotes the token it stumbled over, and that can be a password or the whole string.
    static func redact(_ message: String, quoting text: String) -> String {
        if text.contains("\""), let first = message.firstIndex(of: "\""),
            let last = message.lastIndex(of: "\"")
        {
            // What it quotes may have quotes inside.
            return message[...first] + "…" + message[last...]
        }
        var result = ""
        for (position, part) in message.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
        {
            let isQuoted = position % 2 == 1
            if position > 0 { result += "\"" }
            let isHarmless =
                part.count <= 40 && part.allSatisfy { $0.isLetter || $0 == "_" } && isKeywordPlace(part, text)
            result += isQuoted && !isHarmless && part != "=" ? "…" : part
        }
        return result
    }

    /// Whether the word stands before an `=` in the string, where no password can be.
    private static func isKeywordPlace(_ word: Substring, _ text: String) -> Bool {
        var rest = text[...]
        while let found = rest.firstRange(of: word) {
            let isStart =
                found.lowerBound == text.startIndex
                || " ?&".contains(text[text.index(before: found.lowerBound)])
            if isStart, text[found.upperBound...].first == "=" { return true }
            rest = rest[found.upperBound...]
        }
        return false
    }
}
