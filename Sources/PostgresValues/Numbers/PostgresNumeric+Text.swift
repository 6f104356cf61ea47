extension PostgresNumeric: LosslessStringConvertible {
    /// Reads `-12.340`, `1e-5`, `NaN`, `Infinity`, `-inf`, letters of either case; nil for another text and for more
    /// digits than PostgreSQL takes.
    public init?(_ description: String) {
        switch description.lowercased() {
        case "nan": self = .nan
        case "infinity", "+infinity", "inf", "+inf": self = .infinity
        case "-infinity", "-inf": self = .negativeInfinity
        default:
            guard let value = Self.parse(description) else { return nil }
            self = value
        }
    }

    private static func parse(_ text: String) -> PostgresNumeric? {
        var scanner = TextScanner(text)
        let isMinus = scanner.skip("-")
        if !isMinus { _ = scanner.skip("+") }
        let whole = scanner.digits()
        let fraction = scanner.skip(".") ? scanner.digits() : []
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        var exponent = 0
        if scanner.skip("e") || scanner.skip("E") {
            let isBelow = scanner.skip("-")
            if !isBelow { _ = scanner.skip("+") }
            // Six digits are past both limits.
            guard let size = scanner.number(maximumDigits: 6) else { return nil }
            exponent = Int(isBelow ? -size : size)
        }
        guard scanner.isAtEnd else { return nil }
        return decimal(
            isMinus: isMinus, digits: Array(whole) + Array(fraction), point: whole.count + exponent,
            scale: max(0, fraction.count - exponent))
    }

    /// A number of ASCII digits with the point behind so many of them, which may be fewer than none or more than all.
    private static func decimal(isMinus: Bool, digits: [UInt8], point: Int, scale: Int) -> PostgresNumeric? {
        let leading = digits.prefix { $0 == UInt8(ascii: "0") }.count
        guard scale <= maximumScale, leading == digits.count || point - leading <= maximumIntegerDigits else {
            return nil
        }
        if leading == digits.count {
            return PostgresNumeric(isMinus: false, weight: 0, digits: [], scale: scale)
        }
        let digits = digits[leading...]
        let point = point - leading
        // The first group of four holds as many decimal digits as fill up the ones before the point.
        let weight = (point - 1) >= 0 ? (point - 1) / 4 : -((3 - (point - 1)) / 4)
        let first = point - weight * 4
        var groups: [UInt16] = []
        groups.reserveCapacity(digits.count / 4 + 2)
        var group: UInt16 = 0
        var left = first
        for digit in digits {
            group = group * 10 + UInt16(digit - UInt8(ascii: "0"))
            left -= 1
            if left == 0 {
                groups.append(group)
                (group, left) = (0, 4)
            }
        }
        if left < 4 || group != 0 {
            for _ in 0..<left { group *= 10 }
            groups.append(group)
        }
        return PostgresNumeric(isMinus: isMinus, weight: weight, digits: groups, scale: scale)
    }

    /// What the server writes: every digit, `scale` of them behind the point, never an exponent.
    public var description: String {
        switch kind {
        case .nan: return "NaN"
        case .infinity: return "Infinity"
        case .negativeInfinity: return "-Infinity"
        case .finite: break
        }
        var text: [UInt8] = isMinus ? [UInt8(ascii: "-")] : []
        for power in stride(from: max(weight, 0), through: 0, by: -1) {
            let group = decimalDigits(power)
            if power == max(weight, 0) {
                let significant = group.drop { $0 == UInt8(ascii: "0") }
                text.append(contentsOf: significant.isEmpty ? [UInt8(ascii: "0")] : significant)
            } else {
                text.append(contentsOf: group)
            }
        }
        if scale > 0 {
            text.append(UInt8(ascii: "."))
            let start = text.count
            var power = -1
            while text.count - start < scale {
                text.append(contentsOf: decimalDigits(power))
                power -= 1
            }
            text.removeLast(text.count - start - scale)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The four decimal digits of the group that stands for a power of 10 000.
    private func decimalDigits(_ power: Int) -> ArraySlice<UInt8> {
        let index = weight - power
        let group = digits.indices.contains(index) ? digits[index] : 0
        let zero = UInt16(UInt8(ascii: "0"))
        return [
            UInt8(group / 1000 + zero), UInt8(group / 100 % 10 + zero), UInt8(group / 10 % 10 + zero),
            UInt8(group % 10 + zero),
        ]
    }
}
