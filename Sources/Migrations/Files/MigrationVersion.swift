/// The version of a migration: the UTC time at which its file was made, `YYYYMMDDHHMMSS`.
public struct MigrationVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The fourteen digits as a number, as the history table stores them.
    public let number: Int64

    /// A version from its fourteen digits; nil unless they name a second of the calendar.
    public init?(_ digits: some StringProtocol) {
        let bytes = Array(digits.utf8)
        guard bytes.count == 14, bytes.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
        else {
            return nil
        }
        self.init(number: bytes.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) })
    }

    /// A version from its number; nil unless it names a second of the calendar.
    public init?(number: Int64) {
        let (date, time) = (number / 1_000_000, number % 1_000_000)
        let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100)
        guard (1970...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= Self.dayCount(ofMonth: month, year: year), time / 10_000 < 24, time / 100 % 100 < 60,
            time % 100 < 60
        else { return nil }
        self.number = number
    }

    /// The version of a time given in seconds since 1970-01-01 00:00:00 UTC, at most to the year 9999.
    public init(secondsSince1970 seconds: Int64) {
        var days = max(0, seconds) / 86_400
        let second = max(0, seconds) % 86_400
        var (year, month) = (Int64(1970), Int64(1))
        while days >= Self.dayCount(ofYear: year) {
            days -= Self.dayCount(ofYear: year)
            year += 1
        }
        while days >= Self.dayCount(ofMonth: month, year: year) {
            days -= Self.dayCount(ofMonth: month, year: year)
            month += 1
        }
        let date = (year * 100 + month) * 100 + days + 1
        number = date * 1_000_000 + second / 3600 * 10_000 + second / 60 % 60 * 100 + second % 60
    }

    /// The fourteen digits.
    public var description: String { String(number) }

    /// The version one second later.
    public var next: MigrationVersion { MigrationVersion(secondsSince1970: secondsSince1970 + 1) }

    /// Earlier first.
    public static func < (left: MigrationVersion, right: MigrationVersion) -> Bool {
        left.number < right.number
    }

    /// Seconds since 1970-01-01 00:00:00 UTC.
    public var secondsSince1970: Int64 {
        let (date, time) = (number / 1_000_000, number % 1_000_000)
        let (year, month) = (date / 10_000, date / 100 % 100)
        var days = date % 100 - 1
        for earlier in 1970..<year { days += Self.dayCount(ofYear: earlier) }
        for earlier in 1..<month { days += Self.dayCount(ofMonth: earlier, year: year) }
        return days * 86_400 + time / 10_000 * 3600 + time / 100 % 100 * 60 + time % 100
    }

    private static func isLeap(_ year: Int64) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    private static func dayCount(ofYear year: Int64) -> Int64 { isLeap(year) ? 366 : 365 }

    private static func dayCount(ofMonth month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
