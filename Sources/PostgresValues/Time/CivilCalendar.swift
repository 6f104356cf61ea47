/// The Gregorian calendar carried back for ever, as PostgreSQL counts, in days from 2000-01-01.
///
/// Years are counted with a year 0, which is 1 BC. The year is taken to begin in March, so that the leap day is its
/// last.
enum CivilCalendar {
    static let microsecondsPerDay: Int64 = 86_400_000_000
    /// From 0000-03-01 to 2000-01-01.
    private static let epoch: Int64 = 730_425

    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - epoch
    }

    static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + epoch
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    /// The days to a date, nil when there is no such date.
    static func checkedDays(year: Int64, month: Int64, day: Int64) -> Int64? {
        guard (-10_000_000...10_000_000).contains(year), (1...12).contains(month), (1...31).contains(day)
        else {
            return nil
        }
        let days = days(year: year, month: month, day: day)
        return civil(days: days).month == month ? days : nil
    }

    /// Microseconds as whole days, rounded down, and the rest.
    static func split(_ microseconds: Int64) -> (days: Int64, microseconds: Int64) {
        let (quotient, rest) = microseconds.quotientAndRemainder(dividingBy: microsecondsPerDay)
        return rest < 0 ? (quotient - 1, rest + microsecondsPerDay) : (quotient, rest)
    }

    /// The sum, nil when it does not fit.
    static func join(days: Int64, microseconds: Int64) -> Int64? {
        let (product, overflow) = days.multipliedReportingOverflow(by: microsecondsPerDay)
        let (sum, carry) = product.addingReportingOverflow(microseconds)
        return overflow || carry ? nil : sum
    }

    // MARK: Text

    /// ISO form of microseconds since 2000, `zone` behind the time of day; the extremes are the infinities.
    static func text(microseconds: Int64, zone: String = "") -> String {
        if microseconds == .max { return "infinity" }
        if microseconds == .min { return "-infinity" }
        let (days, time) = split(microseconds)
        let (date, suffix) = text(days: days)
        return "\(date) \(text(timeOfDay: time))\(zone)\(suffix)"
    }

    /// The microseconds since 2000 that a text in that form stands for; nil for another text.
    static func microseconds(_ text: String, withOffset: Bool) -> Int64? {
        if text == "infinity" { return .max }
        if text == "-infinity" { return .min }
        var scanner = TextScanner(text)
        let microseconds = scanner.timestamp(withOffset: withOffset)
        return microseconds == .max || microseconds == .min ? nil : microseconds
    }

    /// `2004-10-19`, and whether ` BC` has to follow at the very end.
    static func text(days: Int64) -> (text: String, suffix: String) {
        let (year, month, day) = civil(days: days)
        let shown = year > 0 ? year : 1 - year
        return ("\(padded(shown, 4))-\(padded(month, 2))-\(padded(day, 2))", year > 0 ? "" : " BC")
    }

    /// `10:23:54.1234`, the fraction without trailing zeros.
    static func text(timeOfDay microseconds: Int64) -> String {
        let (seconds, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
        return "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))" + text(fraction: fraction)
    }

    static func text(fraction: Int64) -> String {
        if fraction == 0 { return "" }
        var digits = padded(fraction, 6)
        while digits.last == "0" { digits.removeLast() }
        return "." + digits
    }

    /// `+02`, `-07:52:58`.
    static func text(offset seconds: Int64) -> String {
        let size = abs(seconds)
        var text = (seconds < 0 ? "-" : "+") + padded(size / 3600, 2)
        if size % 3600 != 0 { text += ":" + padded(size / 60 % 60, 2) }
        if size % 60 != 0 { text += ":" + padded(size % 60, 2) }
        return text
    }
}

extension TextScanner {
    /// `2004-10-19`, as year, month and day not looked at closely; years are positive here.
    mutating func date() -> (year: Int64, month: Int64, day: Int64)? {
        guard let year = number(), skip("-"), let month = number(digits: 2), skip("-"),
            let day = number(digits: 2)
        else { return nil }
        return (year, month, day)
    }

    /// `10:23:54.1234`, in microseconds; at most 24:00:00.
    mutating func timeOfDay() -> Int64? {
        guard let hour = number(digits: 2), skip(":"), let minute = number(digits: 2), minute < 60 else {
            return nil
        }
        var second: Int64 = 0
        var fraction: Int64 = 0
        if skip(":") {
            guard let whole = number(digits: 2), whole <= 60 else { return nil }
            second = whole
            if skip(".") {
                guard let read = self.fraction() else { return nil }
                fraction = read
            }
        }
        let time = (hour * 3600 + minute * 60 + second) * 1_000_000 + fraction
        return time <= CivilCalendar.microsecondsPerDay ? time : nil
    }

    /// `+02`, `-07:52:58`, `Z`, in seconds east of Greenwich.
    mutating func offset() -> Int64? {
        if skip("Z") { return 0 }
        let isEast = skip("+")
        guard isEast || skip("-"), let hour = number(digits: 2), hour < 24 else { return nil }
        var offset = hour * 3600
        if skip(":") {
            guard let minute = number(digits: 2), minute < 60 else { return nil }
            offset += minute * 60
        }
        if skip(":") {
            guard let second = number(digits: 2), second < 60 else { return nil }
            offset += second
        }
        return isEast ? offset : -offset
    }

    /// `2004-10-19 10:23:54.1234`, with an offset where asked for, and ` BC` at the very end, in microseconds from 2000.
    mutating func timestamp(withOffset: Bool) -> Int64? {
        guard let (year, month, day) = date(), skip(" ") || skip("T"), let time = timeOfDay() else {
            return nil
        }
        var offset: Int64 = 0
        if withOffset {
            guard let read = self.offset() else { return nil }
            offset = read
        }
        let isBC = skip(" BC")
        guard isAtEnd, year > 0,
            let days = CivilCalendar.checkedDays(year: isBC ? 1 - year : year, month: month, day: day)
        else { return nil }
        return CivilCalendar.join(days: days, microseconds: time - offset * 1_000_000)
    }
}
