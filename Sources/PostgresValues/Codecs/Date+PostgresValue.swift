public import FoundationEssentials

extension Date: PostgresArrayElement {
    /// A `timestamptz`, rounded to the nearest microsecond.
    ///
    /// - Throws: `PostgresValueError(.outOfRange)` for a date that is not finite or outside 4714 BC … 294276 AD.
    public func postgresParameter() throws -> PostgresParameter {
        // Whole seconds apart from the rest: the product of the sum would be rounded twice, which is 1 µs off for
        // some dates before 1864 and after 2137.
        let seconds = timeIntervalSinceReferenceDate.rounded(.down)
        guard seconds >= Timestamps.earliest && seconds < Timestamps.end else {
            throw PostgresValueError(
                .outOfRange, "a Date outside 4714 BC to 294276 AD cannot be a timestamptz")
        }
        let rest = ((timeIntervalSinceReferenceDate - seconds) * 1e6).rounded()
        return .bigEndian(
            (Int64(seconds) + Timestamps.referenceDate) * 1_000_000 + Int64(rest), oid: .timestamptz)
    }

    /// A NULL `timestamptz`.
    public static var postgresNull: PostgresParameter { .null(.timestamptz) }

    /// Reads `timestamptz`, in text as `DateStyle = ISO` writes it. Not `timestamp` and `date`, which name no instant.
    ///
    /// - Throws: `PostgresValueError`: `.outOfRange` for `infinity` and `-infinity`, `.typeMismatch`, `.malformed`,
    ///   `.unexpectedNull`.
    public static func decode(_ cell: PostgresCell) throws -> Date {
        switch (cell.oid, cell.format) {
        case (.timestamptz, .binary):
            switch try cell.bigEndian(Int64.self, for: Date.self) {
            case .max: throw Timestamps.infinite("infinity")
            case .min: throw Timestamps.infinite("-infinity")
            case let microseconds: return Timestamps.date(microseconds: microseconds)
            }
        case (.timestamptz, .text):
            let text = String(decoding: try cell.required(for: Date.self), as: UTF8.self)
            if text == "infinity" || text == "-infinity" {
                throw Timestamps.infinite(text)
            }
            guard let microseconds = Timestamps.parseISO(text) else {
                throw cell.malformed(Date.self, "not in ISO form; SET DateStyle = ISO")
            }
            return Timestamps.date(microseconds: microseconds)
        default:
            throw cell.mismatch(Date.self, cast: "timestamptz")
        }
    }
}

/// Microseconds since 2000-01-01 00:00 UTC, PostgreSQL's clock.
enum Timestamps {
    /// 2001-01-01, `Date`'s zero, on PostgreSQL's clock, in seconds: 366 days.
    static let referenceDate: Int64 = 366 * 86_400
    /// 4714-11-24 BC, the first timestamp that PostgreSQL takes, in seconds since 2001.
    static let earliest = -211_813_488_000.0 - 366 * 86_400
    /// 294277-01-01, the first that it does not, in seconds since 2001.
    static let end = 9_223_371_331_200.0 - 366 * 86_400

    static func infinite(_ text: String) -> PostgresValueError {
        PostgresValueError(
            .outOfRange, "the timestamptz is \(text), which Date cannot be; use NULLIF, or compare in SQL")
    }

    static func date(microseconds: Int64) -> Date {
        // The whole seconds apart from the rest: one division of a large number would round twice.
        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return Date(timeIntervalSinceReferenceDate: Double(seconds - referenceDate) + Double(rest) / 1e6)
    }

    /// Reads `2004-10-19 10:23:54.123456+02`, with `+05:30`, `-07:52:58`, long years and ` BC`.
    static func parseISO(_ text: String) -> Int64? {
        var scanner = Scanner(text.utf8[...])
        guard let year = scanner.number(), scanner.skip("-"), let month = scanner.number(), scanner.skip("-"),
            let day = scanner.number(), scanner.skip(" "), let hour = scanner.number(), scanner.skip(":"),
            let minute = scanner.number(), scanner.skip(":"), let second = scanner.number(),
            (1...12).contains(month), (1...31).contains(day), hour <= 24, minute < 60, second <= 60
        else { return nil }
        var micro: Int64 = 0
        if scanner.skip(".") {
            guard let fraction = scanner.fraction() else { return nil }
            micro = fraction
        }
        let sign: Int64 = scanner.skip("+") ? 1 : -1
        guard sign == 1 || scanner.skip("-"), let offsetHour = scanner.number(), offsetHour < 24 else {
            return nil
        }
        var offset = offsetHour * 3600
        if scanner.skip(":") {
            guard let minute = scanner.number(), minute < 60 else { return nil }
            offset += minute * 60
        }
        if scanner.skip(":") {
            guard let second = scanner.number(), second < 60 else { return nil }
            offset += second
        }
        let isBC = scanner.skip(" BC")
        guard scanner.isAtEnd, year <= 300_000 else { return nil }
        let days = daysSince2000(year: isBC ? 1 - year : year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - sign * offset
        return seconds * 1_000_000 + micro
    }

    /// Days from 2000-01-01 in the Gregorian calendar carried back for ever, as PostgreSQL counts them. The year is
    /// taken to begin in March, so that the leap day is its last.
    private static func daysSince2000(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        // From 0000-03-01 to 2000-01-01 it is 730 425 days.
        return era * 146_097 + dayOfEra - 730_425
    }

    private struct Scanner {
        var rest: Substring.UTF8View

        init(_ text: Substring.UTF8View) {
            rest = text
        }

        var isAtEnd: Bool { rest.isEmpty }

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

        mutating func number() -> Int64? {
            let digits = digits()
            guard !digits.isEmpty && digits.count <= 9 else { return nil }
            return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        }

        /// Up to six digits as millionths.
        mutating func fraction() -> Int64? {
            let digits = digits()
            guard !digits.isEmpty && digits.count <= 6 else { return nil }
            let value = digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
            return (digits.count..<6).reduce(value) { value, _ in value * 10 }
        }
    }
}
