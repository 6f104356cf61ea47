/// A span of months, days and microseconds, as `interval` has it.
///
/// The three are kept apart, and may differ in sign, because months and days have no fixed length: adding a month is not
/// adding 30 days. Two intervals are `==` when all three agree. The server's `=` takes a month for 30 days and a day for
/// 24 hours; that comparison is `isAsLong(as:)` and `isShorter(than:)`.
public struct Interval: PostgresBinaryValue {
    /// Months, and 12 for each year.
    public var months: Int32
    /// Days.
    public var days: Int32
    /// Microseconds.
    public var microseconds: Int64

    /// A span; every part may be negative.
    public init(months: Int32 = 0, days: Int32 = 0, microseconds: Int64 = 0) {
        self.months = months
        self.days = days
        self.microseconds = microseconds
    }

    /// A span of microseconds only, rounded to the nearest; nil when there are too many.
    public init?(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let half: Int64 = attoseconds < 0 ? -500_000_000_000 : 500_000_000_000
        let (sum, carry) = product.addingReportingOverflow((attoseconds + half) / 1_000_000_000_000)
        if overflow || carry { return nil }
        self.init(microseconds: sum)
    }

    /// The span as a `Duration`, nil when there are months or days, whose length depends on when they begin.
    public var duration: Duration? {
        months == 0 && days == 0 ? .microseconds(microseconds) : nil
    }

    /// Whether the server's `=` holds: months of 30 days, days of 24 hours.
    public func isAsLong(as other: Interval) -> Bool { length == other.length }

    /// Whether the server's `<` holds: months of 30 days, days of 24 hours.
    public func isShorter(than other: Interval) -> Bool { length < other.length }

    private var length: Int128 {
        (Int128(months) * 30 + Int128(days)) * Int128(CivilCalendar.microsecondsPerDay) + Int128(microseconds)
    }

    /// Reads the text of each `intervalstyle`: `postgres`, `postgres_verbose`, `sql_standard`, `iso_8601`; nil for
    /// another.
    public init?(_ description: String) {
        guard let value = IntervalParser.parse(description) else { return nil }
        self = value
    }

    /// What the server writes with its default, `intervalstyle = postgres`: `1 year -2 days +03:04:05.6`.
    public var description: String {
        var text = ""
        var isBefore = false
        func append(_ value: Int32, _ unit: String) {
            if value == 0 { return }
            text += text.isEmpty ? "" : " "
            text += isBefore && value > 0 ? "+" : ""
            text += "\(value) \(unit)\(value == 1 ? "" : "s")"
            isBefore = value < 0
        }
        append(months / 12, "year")
        append(months % 12, "mon")
        append(days, "day")
        if text.isEmpty || microseconds != 0 {
            text += text.isEmpty ? "" : " "
            text += microseconds < 0 ? "-" : isBefore ? "+" : ""
            text += Self.clock(microseconds.magnitude)
        }
        return text
    }

    /// Hours, any number of them, minutes and seconds.
    private static func clock(_ microseconds: UInt64) -> String {
        let (seconds, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
            + CivilCalendar.text(fraction: Int64(fraction))
    }

    // MARK: PostgreSQL

    /// `interval`
    public static var postgresType: PostgresTypeOID { .interval }
    /// None of four forms.
    public static var textHint: String { "not in the form of any intervalstyle" }

    /// Eight bytes of microseconds, four of days, four of months.
    public func appendBinary(to bytes: inout [UInt8]) {
        bytes.appendBigEndian(microseconds)
        bytes.appendBigEndian(days)
        bytes.appendBigEndian(months)
    }

    /// Eight bytes of microseconds, four of days, four of months.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        microseconds = try reader.integer()
        days = try reader.integer()
        months = try reader.integer()
    }
}
