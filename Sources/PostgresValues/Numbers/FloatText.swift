/// A number as the server writes it: the shortest digits that read back as the same, with an exponent from 10¹⁵ (10⁶ for
/// `float4`) and below 10⁻⁴.
///
/// Swift finds the shortest digits too, with one difference: see `avoidingTies`.
func postgresText<F: BinaryFloatingPoint & LosslessStringConvertible>(of value: F) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    if value == 0 { return value.sign == .minus ? "-0" : "0" }
    let limit = MemoryLayout<F>.size == 4 ? 6 : 15
    if value.magnitude >= 1e-4, value.magnitude < (limit == 6 ? 1e6 : 1e15) {
        // The usual case: Swift writes no exponent either, and differs by a zero behind whole numbers only.
        var text = value.description
        if text.utf8.suffix(2).elementsEqual(".0".utf8) { text.removeLast(2) }
        return text
    }
    var scanner = TextScanner(value.magnitude.description)
    let whole = scanner.digits()
    let fraction = scanner.skip(".") ? scanner.digits() : []
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
    if let longer = avoidingTies(digits, power: power, of: value) { digits = longer }
    func text(_ digits: some Sequence<UInt8>) -> String { String(decoding: Array(digits), as: UTF8.self) }
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

/// The server takes no digits that lie halfway between the number and its neighbour, though rounding to even reads them
/// as the number; Swift does. They exist only among large whole numbers, and there one digit more or two are written.
/// Nil where Swift's digits will do.
private func avoidingTies<F: BinaryFloatingPoint>(_ digits: [UInt8], power: Int, of value: F) -> [UInt8]? {
    let size = value.magnitude
    // Below, the number halfway is no whole number; above, it is not short enough to be found as the shortest.
    guard size >= F(UInt64(1) << UInt64(F.significandBitCount + 1)), size < 1e36, power < 37,
        digits.count <= power + 1
    else { return nil }
    let exact = UInt128(size)
    let (above, below) = (exact + UInt128(size.nextUp), exact + UInt128(size.nextDown))
    func tenTo(_ power: Int) -> UInt128 { (0..<power).reduce(1) { product, _ in product * 10 } }
    let zero = UInt8(ascii: "0")
    let read = digits.reduce(UInt128(0)) { $0 * 10 + UInt128($1 - zero) } * tenTo(power + 1 - digits.count)
    guard read * 2 == above || read * 2 == below else { return nil }
    for count in (digits.count + 1)..<(power + 2) {
        let unit = tenTo(power + 1 - count)
        let rounded = (exact + unit / 2) / unit
        if rounded * unit * 2 < above && rounded * unit * 2 > below {
            return Array(String(rounded).utf8)
        }
    }
    return nil
}
