extension SQL {
    /// Why nothing can be bound to one of the values: it stands inside quotes or a comment, where `$1` is not what it is elsewhere.
    /// Nil when all stand well.
    ///
    /// The server does not complain of such a value when it is told its type: `LIKE '%\(id)%'` would look for the text `$1`.
    /// The text is read as the server reads it while `standard_conforming_strings` is on.
    package var misplacedValue: PostgresValueError? {
        if places.isEmpty { return nil }
        var text = text
        let number = text.withUTF8 { bytes in
            var reader = QuoteReader(bytes, places)
            return reader.firstQuotedPlace()
        }
        return number.map {
            PostgresValueError(
                .misplacedValue,
                "value \($0 + 1) of the statement stands inside quotes or a comment, where nothing is bound: write '%' || \\(value) "
                    + "|| '%' instead of '%\\(value)%'")
        }
    }
}

/// Goes through a statement from quote to quote.
private struct QuoteReader {
    private let text: UnsafeBufferPointer<UInt8>
    private let places: [Int]
    private var position = 0

    init(_ text: UnsafeBufferPointer<UInt8>, _ places: [Int]) {
        self.text = text
        self.places = places
    }

    /// The number of the first place in a quote or comment.
    mutating func firstQuotedPlace() -> Int? {
        var next = 0
        while position < text.count, next < places.count {
            let start = position
            guard skipQuote() else {
                position += 1
                continue
            }
            while next < places.count, places[next] <= start { next += 1 }
            if next < places.count, places[next] < position { return next }
        }
        return nil
    }

    private func byte(_ place: Int) -> UInt8 { place >= 0 && place < text.count ? text[place] : 0 }

    private func isNameless(_ place: Int) -> Bool { !isIdentifierPart(byte(place)) }

    /// Goes behind the quote or comment that begins here; false when there is none.
    private mutating func skipQuote() -> Bool {
        switch byte(position) {
        case UInt8(ascii: "'"):
            let isEscaped = byte(position - 1) | 0x20 == UInt8(ascii: "e") && isNameless(position - 2)
            skip(to: UInt8(ascii: "'"), isEscaped: isEscaped)
        case UInt8(ascii: "\""): skip(to: UInt8(ascii: "\""), isEscaped: false)
        case UInt8(ascii: "-") where byte(position + 1) == UInt8(ascii: "-"):
            while position < text.count, ![10, 13].contains(text[position]) { position += 1 }
        case UInt8(ascii: "/") where byte(position + 1) == UInt8(ascii: "*"): skipComment()
        case UInt8(ascii: "$") where isNameless(position - 1): return skipDollars()
        default: return false
        }
        return true
    }

    private mutating func skip(to end: UInt8, isEscaped: Bool) {
        position += 1
        while position < text.count {
            if isEscaped, text[position] == UInt8(ascii: "\\") {
                position += 2
            } else if text[position] != end {
                position += 1
            } else if byte(position + 1) == end {
                position += 2
            } else {
                position += 1
                return
            }
        }
    }

    private mutating func skipComment() {
        var depth = 0
        repeat {
            switch (byte(position), byte(position + 1)) {
            case (UInt8(ascii: "/"), UInt8(ascii: "*")):
                depth += 1
                position += 2
            case (UInt8(ascii: "*"), UInt8(ascii: "/")):
                depth -= 1
                position += 2
            default: position += 1
            }
        } while depth > 0 && position < text.count
    }

    /// `$tag$ … $tag$`; a `$1` is none, for no tag begins with a digit.
    private mutating func skipDollars() -> Bool {
        var end = position + 1
        if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte(end)) { return false }
        while isIdentifierPart(byte(end)), byte(end) != UInt8(ascii: "$") { end += 1 }
        guard byte(end) == UInt8(ascii: "$") else { return false }
        let tag = text[position...end]
        position = end + 1
        while position + tag.count <= text.count {
            if text[position..<(position + tag.count)].elementsEqual(tag) {
                position += tag.count
                return true
            }
            position += 1
        }
        position = text.count
        return true
    }
}
