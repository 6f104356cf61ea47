/// A statement and the values bound to it.
///
/// Write it as a literal: what is interpolated is *bound*, never pasted, so it cannot change the statement.
/// ```swift
/// let sql: SQL = "SELECT * FROM \(ident: table) WHERE code = \(code) AND packet LIKE \(pattern)"
/// sql.text         // SELECT * FROM "clients" WHERE code = $1 AND packet LIKE $2
/// ```
/// - `\(value)` becomes the next `$n`; `\(fragment)` inserts another `SQL` and numbers its values anew;
/// - `\(ident: "a", "b")` becomes `"a"."b"`, quoted; `\(list: values)` becomes `$1, $2, $3`;
/// - `\(raw: text)` inserts text as it is: never give it anything a user wrote.
///
/// A variable of type `String` does not compile as `SQL`; that is the point. Do not write `$1` by hand.
/// A value that cannot be bound (a NUL in a text) is reported by `validate()`, that is, by the query.
public struct SQL: Sendable {
    /// The statement with `$1`, `$2`… in it.
    public private(set) var text = ""
    /// The values, in the order of their numbers.
    public private(set) var parameters: [PostgresParameter] = []
    /// Where in the text's UTF-8 each `$n` begins; each value is used exactly once, in order.
    private var placeholders: [Int] = []
    /// The first value or identifier that could not be taken. Boxed, because statements are copied often and have
    /// none.
    private var problem: Problem?

    /// An empty fragment.
    public init() {}

    /// Text to be used as it is, such as a statement read from a file. Never give it anything a user wrote.
    public init(raw text: String) {
        self.text = text
    }

    /// One identifier, or a qualified one, quoted.
    public init(ident parts: String...) {
        append(identifier: parts)
    }

    /// Where in the text's UTF-8 the values stand.
    var places: [Int] { placeholders }

    /// Whether there is no text.
    public var isEmpty: Bool { text.isEmpty }

    /// Checks what the server would refuse after a round trip, or what no message could carry.
    ///
    /// - Throws: `PostgresValueError`: a value that cannot be encoded, `.invalidIdentifier`, `.nulCharacter` in the
    ///   statement, `.tooManyParameters` for more than 65 535, `.emptyList`.
    public func validate() throws(PostgresValueError) {
        if let problem {
            throw problem.error
        }
        if parameters.count > Int(UInt16.max) {
            throw PostgresValueError(
                .tooManyParameters,
                "the statement binds \(parameters.count) values, and the protocol allows 65535; bind one array "
                    + "and compare with = ANY(…), or split the statement")
        }
        if text.utf8.contains(0) {
            throw PostgresValueError(.nulCharacter, "the statement contains U+0000")
        }
    }

    // MARK: Appending

    /// Appends a fragment, its values numbered after those that are here.
    public mutating func append(_ other: SQL) {
        problem = problem ?? other.problem
        if parameters.isEmpty && other.beginsPlainly {
            // The numbers stay.
            let shift = text.utf8.count
            text += other.text
            parameters = other.parameters
            placeholders = shift == 0 ? other.placeholders : other.placeholders.map { $0 + shift }
            return
        }
        let tail = other.text.utf8
        var copied = tail.startIndex
        for (place, parameter) in zip(other.placeholders, other.parameters) {
            let start = tail.index(tail.startIndex, offsetBy: place)
            append(literal: other.text[copied..<start])
            append(parameter)
            copied = tail.index(after: start)
            while copied < tail.endIndex && isDigit(tail[copied]) {
                copied = tail.index(after: copied)
            }
        }
        append(literal: other.text[copied...])
    }

    /// Appends text as it is; see `init(raw:)`.
    public mutating func append(raw text: String) {
        append(literal: text[...])
    }

    /// Appends the next `$n` bound to a value.
    public mutating func append(_ value: some PostgresEncodable) {
        do {
            append(try value.postgresParameter())
        } catch {
            record(
                error as? PostgresValueError
                    ?? PostgresValueError(
                        .conversion, "cannot bind a \(type(of: value))", underlying: error))
            append(PostgresParameter.null())
        }
    }

    /// Appends the next `$n` bound to a value that is encoded already.
    public mutating func append(_ parameter: PostgresParameter) {
        // `LIMIT$1` would be one identifier.
        if let last = text.utf8.last, isIdentifierPart(last) {
            text += " "
        }
        placeholders.append(text.utf8.count)
        if let mistake = parameter.mistake {
            record(mistake)
            parameters.append(.null(parameter.oid))
        } else {
            parameters.append(parameter)
        }
        text += "$\(parameters.count)"
    }

    /// Appends an identifier of one or more parts, quoted.
    mutating func append(identifier parts: [String]) {
        for (position, part) in parts.enumerated() {
            if part.isEmpty || part.utf8.contains(0) {
                record(
                    PostgresValueError(
                        .invalidIdentifier,
                        part.isEmpty ? "an identifier is empty" : "an identifier contains U+0000"))
            }
            if position > 0 {
                text += "."
            }
            text += "\""
            for character in part.unicodeScalars {
                text.unicodeScalars.append(character)
                if character == "\"" {
                    text += "\""
                }
            }
            text += "\""
        }
    }

    /// Keeps the first of several errors.
    mutating func record(_ error: PostgresValueError) {
        problem = problem ?? Problem(error: error)
    }

    mutating func append(literal piece: Substring) {
        // A digit behind `$1` would make it `$10`.
        if let first = piece.utf8.first, isDigit(first), endsWithPlaceholder {
            text += " "
        }
        text += piece
    }

    /// Whether nothing needs to be put between other text and this.
    private var beginsPlainly: Bool {
        placeholders.first != 0
    }

    private var endsWithPlaceholder: Bool {
        guard let last = placeholders.last else { return false }
        return last + 1 + String(parameters.count).utf8.count == text.utf8.count
    }

    /// Two fragments, one behind the other, with nothing between them.
    public static func + (left: SQL, right: SQL) -> SQL {
        var sum = left
        sum.append(right)
        return sum
    }

    /// Appends a fragment.
    public static func += (left: inout SQL, right: SQL) {
        left.append(right)
    }
}

private final class Problem: Sendable {
    let error: PostgresValueError

    init(error: PostgresValueError) {
        self.error = error
    }
}

private func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
}

func isIdentifierPart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
        true
    default: false
    }
}
