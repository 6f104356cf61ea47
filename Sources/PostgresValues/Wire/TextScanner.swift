/// Reads ASCII text from left to right.
struct TextScanner {
    var rest: ArraySlice<UInt8>

    init(_ text: String) {
        rest = Array(text.utf8)[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ text: StaticString) -> Bool {
        let isThere = text.withUTF8Buffer { wanted in
            guard rest.count >= wanted.count else { return false }
            for offset in 0..<wanted.count where rest[rest.startIndex + offset] != wanted[offset] {
                return false
            }
            return true
        }
        if isThere { rest.removeFirst(text.utf8CodeUnitCount) }
        return isThere
    }

    mutating func digits() -> ArraySlice<UInt8> {
        take { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }

    /// The bytes up to the first that is not wanted.
    private mutating func take(while isWanted: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        var end = rest.startIndex
        while end < rest.endIndex && isWanted(rest[end]) { end += 1 }
        defer { rest = rest[end...] }
        return rest[..<end]
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

    /// A word of ASCII letters, perhaps none.
    mutating func letters() -> String {
        String(
            decoding: take { ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") },
            as: UTF8.self)
    }

    /// A floating-point number as PostgreSQL writes it.
    mutating func double() -> Double? {
        var ahead = self
        let token = ahead.take { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard let value = Double(String(decoding: token, as: UTF8.self)) else { return nil }
        self = ahead
        return value
    }
}

/// A number with leading zeros.
func padded(_ number: some BinaryInteger, _ width: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.count)) + text
}
