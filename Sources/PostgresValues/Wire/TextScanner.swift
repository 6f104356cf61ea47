/// Reads ASCII text from left to right.
struct TextScanner {
    var rest: Substring.UTF8View

    init(_ text: some StringProtocol) {
        rest = Substring(text).utf8
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// What is left.
    var text: String { String(Substring(rest)) }

    mutating func skip(_ text: StaticString) -> Bool {
        let wanted = text.description.utf8
        guard rest.starts(with: wanted) else { return false }
        rest = rest.dropFirst(wanted.count)
        return true
    }

    mutating func digits() -> Substring.UTF8View {
        let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        rest = rest.dropFirst(digits.count)
        return digits
    }

    /// A number of at most nine digits unless said otherwise, without a sign.
    mutating func number(maximumDigits: Int = 9) -> Int64? {
        let digits = digits()
        guard !digits.isEmpty && digits.count <= maximumDigits else { return nil }
        return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    /// A number of exactly so many digits.
    mutating func number(digits count: Int) -> Int64? {
        let before = rest.count
        guard let value = number(), before - rest.count == count else { return nil }
        return value
    }

    /// Up to six digits as millionths.
    mutating func fraction() -> Int64? {
        let digits = digits()
        guard !digits.isEmpty && digits.count <= 6 else { return nil }
        let value = digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        return (digits.count..<6).reduce(value) { value, _ in value * 10 }
    }

    mutating func letters() -> Substring.UTF8View {
        let letters = rest.prefix { ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") }
        rest = rest.dropFirst(letters.count)
        return letters
    }

    /// A floating-point number as PostgreSQL writes it.
    mutating func double() -> Double? {
        let token = rest.prefix { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard let value = Double(Substring(token)) else { return nil }
        rest = rest.dropFirst(token.count)
        return value
    }
}

/// A number with leading zeros.
func padded(_ number: some BinaryInteger, _ width: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.count)) + text
}
