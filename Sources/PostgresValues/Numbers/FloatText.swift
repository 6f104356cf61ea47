/// A number as the server writes it: the shortest digits that read back as the same, which Swift finds too, with an
/// exponent from 10¹⁵ (10⁶ for `float4`) and below 10⁻⁴.
func postgresText<F: BinaryFloatingPoint & LosslessStringConvertible>(of value: F) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    if value == 0 { return value.sign == .minus ? "-0" : "0" }
    var scanner = TextScanner(String(value.magnitude.description))
    let whole = scanner.digits()
    let fraction = scanner.skip(".") ? scanner.digits() : Substring("").utf8
    var exponent = 0
    if scanner.skip("e") {
        let isBelow = scanner.skip("-")
        if !isBelow { _ = scanner.skip("+") }
        let size = Int(scanner.number() ?? 0)
        exponent = isBelow ? -size : size
    }
    let all = Array(whole) + Array(fraction)
    let zero = UInt8(ascii: "0")
    let leading = all.prefix { $0 == zero }.count
    var digits = Array(all[leading...])
    while digits.last == zero { digits.removeLast() }
    /// The power of ten of the first digit.
    let power = whole.count - leading - 1 + exponent
    let sign = value < 0 ? "-" : ""
    func text(_ digits: some Sequence<UInt8>) -> String { String(decoding: Array(digits), as: UTF8.self) }
    let limit = MemoryLayout<F>.size == 4 ? 6 : 15
    if power < -4 || power >= limit {
        let rest = digits.count > 1 ? "." + text(digits.dropFirst()) : ""
        return "\(sign)\(text(digits.prefix(1)))\(rest)e\(power < 0 ? "-" : "+")\(padded(abs(power), 2))"
    }
    if power < 0 {
        return sign + "0." + String(repeating: "0", count: -power - 1) + text(digits)
    }
    let padding = String(repeating: "0", count: max(0, power + 1 - digits.count))
    let behind = digits.dropFirst(power + 1)
    return sign + text(digits.prefix(power + 1)) + padding + (behind.isEmpty ? "" : "." + text(behind))
}
