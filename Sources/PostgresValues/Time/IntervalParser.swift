/// Reads the four texts of `intervalstyle`.
struct IntervalParser {
    private var scanner: TextScanner
    /// Wide, for no sum of what a text may hold passes their limit.
    private var months: Int128 = 0
    private var days: Int128 = 0
    private var microseconds: Int128 = 0

    static func parse(_ text: String) -> Interval? {
        var parser = IntervalParser(scanner: TextScanner(text))
        guard parser.scanner.skip("P") ? parser.iso() : parser.words() else { return nil }
        guard let months = Int32(exactly: parser.months), let days = Int32(exactly: parser.days),
            let microseconds = Int64(exactly: parser.microseconds)
        else { return nil }
        return Interval(months: months, days: days, microseconds: microseconds)
    }

    private init(scanner: TextScanner) {
        self.scanner = scanner
    }

    /// A number with an optional sign and fraction.
    private struct Quantity {
        var isSigned: Bool
        var isNegative: Bool
        var whole: Int64
        var millionths: Int64

        var signed: Int128 { Int128(isNegative ? -whole : whole) }
        var microseconds: Int128 {
            let size = Int128(whole) * 1_000_000 + Int128(millionths)
            return isNegative ? -size : size
        }
    }

    private mutating func quantity() -> Quantity? {
        let isNegative = scanner.skip("-")
        let isSigned = scanner.skip("+") || isNegative
        guard let whole = scanner.number(maximumDigits: 14) else { return nil }
        var millionths: Int64 = 0
        if scanner.skip(".") {
            guard let fraction = scanner.fraction() else { return nil }
            millionths = fraction
        }
        return Quantity(isSigned: isSigned, isNegative: isNegative, whole: whole, millionths: millionths)
    }

    /// `P1Y2M3DT-4H5M6.7S`, behind the P.
    private mutating func iso() -> Bool {
        var isTime = false
        var count = 0
        while !scanner.isAtEnd {
            if !isTime && scanner.skip("T") { isTime = true }
            guard let amount = quantity(), let unit = scanner.rest.popFirst() else { return false }
            guard add(amount, String(UnicodeScalar(unit)), isTime: isTime) else { return false }
            count += 1
        }
        return count > 0
    }

    private mutating func add(_ amount: Quantity, _ unit: String, isTime: Bool) -> Bool {
        guard amount.millionths == 0 || unit == "S" else { return false }
        switch (unit, isTime) {
        case ("Y", false): months += amount.signed * 12
        case ("M", false): months += amount.signed
        case ("W", false): days += amount.signed * 7
        case ("D", false): days += amount.signed
        case ("H", true): microseconds += amount.microseconds * 3600
        case ("M", true): microseconds += amount.microseconds * 60
        case ("S", true): microseconds += amount.microseconds
        default: return false
        }
        return true
    }

    /// `1 year -2 mons +3 days 04:05:06.7`, `@ 1 year 6.7 secs ago`, `+1-2 -3 +4:05:06.7`, `-3 4:05:06`, `0`.
    private mutating func words() -> Bool {
        _ = scanner.skip("@ ")
        // In the form of the standard a sign stands for all that follows without one.
        var inherited = false
        var hasUnits = false
        var count = 0
        while !scanner.isAtEnd {
            if count > 0 && !scanner.skip(" ") { return false }
            if count > 0 && scanner.skip("ago") {
                (months, days, microseconds) = (-months, -days, -microseconds)
                return scanner.isAtEnd
            }
            guard var amount = quantity() else { return false }
            if !amount.isSigned && !hasUnits { amount.isNegative = inherited }
            inherited = amount.isNegative
            count += 1
            if scanner.skip(":") {
                guard clock(hours: amount) else { return false }
            } else if scanner.skip("-") {
                guard
                    let rest = scanner.number(
                        digits: scanner.rest.dropFirst().first.map(isDigit) ?? false ? 2 : 1)
                else { return false }
                months += amount.signed * 12 + Int128(amount.isNegative ? -rest : rest)
            } else if scanner.isAtEnd && count == 1 {
                return amount.whole == 0 && amount.millionths == 0
            } else {
                var ahead = scanner
                guard ahead.skip(" ") else { return false }
                let word = ahead.letters()
                if word.isEmpty {
                    days += amount.signed
                    continue
                }
                scanner = ahead
                hasUnits = true
                guard add(amount, word: word) else { return false }
            }
        }
        return count > 0
    }

    private mutating func add(_ amount: Quantity, word: String) -> Bool {
        switch word {
        case "year", "years": add(amount, "Y", isTime: false)
        case "mon", "mons": add(amount, "M", isTime: false)
        case "day", "days": add(amount, "D", isTime: false)
        case "hour", "hours": add(amount, "H", isTime: true)
        case "min", "mins": add(amount, "M", isTime: true)
        case "sec", "secs": add(amount, "S", isTime: true)
        default: false
        }
    }

    private mutating func clock(hours: Quantity) -> Bool {
        guard hours.millionths == 0, let minute = scanner.number(digits: 2), minute < 60 else { return false }
        var size = Int128(hours.whole) * 3_600_000_000 + Int128(minute) * 60_000_000
        if scanner.skip(":") {
            guard let second = scanner.number(digits: 2), second < 60 else { return false }
            size += Int128(second) * 1_000_000
            if scanner.skip(".") {
                guard let fraction = scanner.fraction() else { return false }
                size += Int128(fraction)
            }
        }
        microseconds += hours.isNegative ? -size : size
        return true
    }
}

private func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
}
