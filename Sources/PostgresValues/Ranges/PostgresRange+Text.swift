extension PostgresRange: LosslessStringConvertible {
    /// Reads `[1,10)`, `(,"a, b"]`, `empty`; nil for another text.
    public init?(_ description: String) {
        var scanner = TextScanner(description)
        guard let value = PostgresRange(&scanner), scanner.isAtEnd else { return nil }
        self = value
    }

    init?(_ scanner: inout TextScanner) {
        if scanner.skip("empty") {
            self = .empty
            return
        }
        let includesLower = scanner.skip("[")
        guard includesLower || scanner.skip("("), let lower = Self.bound(&scanner), scanner.skip(","),
            let upper = Self.bound(&scanner)
        else { return nil }
        let includesUpper = scanner.skip("]")
        guard includesUpper || scanner.skip(")") else { return nil }
        guard let first = Self.endpoint(lower, includesLower), let last = Self.endpoint(upper, includesUpper)
        else {
            return nil
        }
        self.init(lower: first, upper: last)
    }

    /// The text of one bound, an empty one for none; nil when it is unclosed. An empty text as bound has quotes.
    private static func bound(_ scanner: inout TextScanner) -> (text: [UInt8], isThere: Bool)? {
        var bytes: [UInt8] = []
        var isQuoted = false
        var isThere = false
        while let byte = scanner.rest.first {
            let isEnd = byte == UInt8(ascii: ",") || byte == UInt8(ascii: ")") || byte == UInt8(ascii: "]")
            if isEnd && !isQuoted { break }
            scanner.rest.removeFirst()
            isThere = true
            switch byte {
            case UInt8(ascii: "\\"):
                guard let escaped = scanner.rest.popFirst() else { return nil }
                bytes.append(escaped)
            case UInt8(ascii: "\"") where isQuoted && scanner.rest.first == byte:
                scanner.rest.removeFirst()
                bytes.append(byte)
            case UInt8(ascii: "\""): isQuoted.toggle()
            default: bytes.append(byte)
            }
        }
        return isQuoted ? nil : (bytes, isThere)
    }

    private static func endpoint(_ part: (text: [UInt8], isThere: Bool), _ isIncluded: Bool) -> Endpoint? {
        guard part.isThere else { return .unbounded }
        let oid = Bound.postgresNull.oid
        let text = PostgresParameter(oid: oid == .inferred ? .unknown : oid, format: .text, bytes: part.text)
        guard let bound = try? text.withCell({ cell in try Bound.decode(cell) }) else { return nil }
        return isIncluded ? .inclusive(bound) : .exclusive(bound)
    }

    /// What the server writes.
    public var description: String {
        if isEmpty { return "empty" }
        var text = if case .inclusive = lower { "[" } else { "(" }
        if let bound = lower.bound { text += Self.text(of: bound) }
        text += ","
        if let bound = upper.bound { text += Self.text(of: bound) }
        if case .inclusive = upper { text += "]" } else { text += ")" }
        return text
    }

    /// A bound's text, in quotes where it has to be.
    private static func text(of bound: Bound) -> String {
        RowText.quoted(Array(bound.boundText.utf8), isRange: true)
    }
}

/// The quoting that ranges and rows have in common.
enum RowText {
    /// The text, in quotes when it is empty or has blanks, quotes, backslashes, or what separates the parts of a row; in a
    /// range also brackets.
    static func quoted(_ bytes: [UInt8], isRange: Bool) -> String {
        var isPlain = !bytes.isEmpty
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: ","), UInt8(ascii: "("),
                UInt8(ascii: ")"),
                UInt8(ascii: " "), 0x09...0x0D:
                isPlain = false
            case UInt8(ascii: "["), UInt8(ascii: "]"):
                isPlain = isPlain && !isRange
            default: continue
            }
        }
        if isPlain { return String(decoding: bytes, as: UTF8.self) }
        var quoted: [UInt8] = [UInt8(ascii: "\"")]
        for byte in bytes {
            // The server doubles them.
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { quoted.append(byte) }
            quoted.append(byte)
        }
        quoted.append(UInt8(ascii: "\""))
        return String(decoding: quoted, as: UTF8.self)
    }
}
