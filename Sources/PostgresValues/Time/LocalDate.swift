/// A day of the calendar, as `date` has it: 4714 BC to 5874897 AD, or one of the infinities. No time zone, no instant.
public struct LocalDate: PostgresBinaryValue, Comparable {
    /// Days since 2000-01-01; the extremes of `Int32` are the infinities.
    public var daysSince2000: Int32

    /// A day by PostgreSQL's own count.
    public init(daysSince2000: Int32) {
        self.daysSince2000 = daysSince2000
    }

    /// A day of the Gregorian calendar, with the year 0 for 1 BC and −1 for 2 BC; nil when there is no such day.
    public init?(year: Int, month: Int, day: Int) {
        guard let days = CivilCalendar.checkedDays(year: Int64(year), month: Int64(month), day: Int64(day))
        else {
            return nil
        }
        guard let days = Int32(exactly: days) else { return nil }
        self.init(daysSince2000: days)
        guard isFinite && isLegal else { return nil }
    }

    /// Later than every other day.
    public static let infinity = LocalDate(daysSince2000: .max)
    /// Earlier than every other day.
    public static let negativeInfinity = LocalDate(daysSince2000: .min)
    /// The first day that the server takes, 4714-11-24 BC.
    public static let earliest = LocalDate(daysSince2000: -2_451_545)
    /// The last day that the server takes, 5874897-12-31.
    public static let latest = LocalDate(daysSince2000: 2_145_031_948)

    /// Whether this is a day rather than an infinity.
    public var isFinite: Bool { self != .infinity && self != .negativeInfinity }

    var isLegal: Bool { !isFinite || (Self.earliest...Self.latest).contains(self) }

    /// Year, 0 for 1 BC, month and day; nil for the infinities.
    public var components: (year: Int, month: Int, day: Int)? {
        guard isFinite else { return nil }
        let (year, month, day) = CivilCalendar.civil(days: Int64(daysSince2000))
        return (Int(year), Int(month), Int(day))
    }

    /// Reads `2004-10-19`, `0044-03-15 BC`, `infinity` and `-infinity`; nil for another text.
    public init?(_ description: String) {
        switch description {
        case "infinity": self = .infinity
        case "-infinity": self = .negativeInfinity
        default:
            var scanner = TextScanner(description)
            guard let (year, month, day) = scanner.date() else { return nil }
            let isBC = scanner.skip(" BC")
            guard scanner.isAtEnd, year > 0 else { return nil }
            self.init(year: Int(isBC ? 1 - year : year), month: Int(month), day: Int(day))
        }
    }

    /// ISO form.
    public var description: String {
        if self == .infinity { return "infinity" }
        if self == .negativeInfinity { return "-infinity" }
        let (text, suffix) = CivilCalendar.text(days: Int64(daysSince2000))
        return text + suffix
    }

    /// By time; `infinity` last.
    public static func < (left: LocalDate, right: LocalDate) -> Bool {
        left.daysSince2000 < right.daysSince2000
    }

    // MARK: PostgreSQL

    /// `date`.
    public static var postgresType: PostgresTypeOID { .date }
    /// The form depends on a setting.
    public static var textHint: String { "not in ISO form; SET DateStyle = ISO" }

    /// Four bytes.
    ///
    /// - Throws: `PostgresValueError(.outOfRange)` for a day before `earliest` or after `latest`.
    public func appendBinary(to bytes: inout [UInt8]) throws(PostgresValueError) {
        guard isLegal else { throw .outsideCalendar("date") }
        bytes.appendBigEndian(daysSince2000)
    }

    /// Four bytes.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        daysSince2000 = try reader.integer()
    }
}
