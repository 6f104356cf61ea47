/// A day and a time of day, as `timestamp` without time zone has it: what a calendar and a clock on some wall show, not
/// an instant. 4714 BC to 294276 AD, or one of the infinities.
///
/// Never bind an instant to a `timestamp` column: the server would shift it by the session's time zone.
public struct LocalDateTime: PostgresBinaryValue, Comparable {
    /// Microseconds since 2000-01-01 00:00 on that clock; the extremes of `Int64` are the infinities.
    public var microsecondsSince2000: Int64

    /// A time by PostgreSQL's own count.
    public init(microsecondsSince2000: Int64) {
        self.microsecondsSince2000 = microsecondsSince2000
    }

    /// A time of a day; an infinite day gives that infinity, a day past the range nil.
    public init?(_ date: LocalDate, _ time: LocalTime = .midnight) {
        if date == .infinity {
            self = .infinity
        } else if date == .negativeInfinity {
            self = .negativeInfinity
        } else {
            guard
                let sum = CivilCalendar.join(days: Int64(date.daysSince2000), microseconds: time.microseconds)
            else { return nil }
            self.init(microsecondsSince2000: sum)
            guard isFinite && isLegal else { return nil }
        }
    }

    /// What clocks show at an instant, where they are so many seconds ahead of UTC.
    public init(_ instant: Timestamp, secondsFromUTC offset: Int = 0) {
        guard instant.isFinite else {
            self.init(microsecondsSince2000: instant.microsecondsSince2000)
            return
        }
        let shift = Int64(clamping: offset).multipliedReportingOverflow(by: 1_000_000).partialValue
        self.init(
            microsecondsSince2000: instant.microsecondsSince2000.addingReportingOverflow(shift).partialValue)
    }

    /// Later than every other time.
    public static let infinity = LocalDateTime(microsecondsSince2000: .max)
    /// Earlier than every other time.
    public static let negativeInfinity = LocalDateTime(microsecondsSince2000: .min)
    /// The first time that the server takes, 4714-11-24 BC.
    public static let earliest = LocalDateTime(
        microsecondsSince2000: Timestamp.earliest.microsecondsSince2000)
    /// The last time that the server takes, the end of 294276 AD.
    public static let latest = LocalDateTime(microsecondsSince2000: Timestamp.latest.microsecondsSince2000)

    /// Whether this is a time rather than an infinity.
    public var isFinite: Bool { self != .infinity && self != .negativeInfinity }

    var isLegal: Bool { !isFinite || (Self.earliest...Self.latest).contains(self) }

    /// The day; an infinity for an infinity.
    public var date: LocalDate {
        if self == .infinity { return .infinity }
        if self == .negativeInfinity { return .negativeInfinity }
        // 106 751 991 days either way are the most.
        return LocalDate(daysSince2000: Int32(CivilCalendar.split(microsecondsSince2000).days))
    }

    /// The time of day; nil for the infinities.
    public var time: LocalTime? {
        isFinite ? LocalTime(microseconds: CivilCalendar.split(microsecondsSince2000).microseconds) : nil
    }

    /// Reads `2004-10-19 10:23:54.5`, ` BC` at the end, `infinity` and `-infinity`; nil for another text.
    public init?(_ description: String) {
        guard let microseconds = CivilCalendar.microseconds(description, withOffset: false) else {
            return nil
        }
        self.init(microsecondsSince2000: microseconds)
    }

    /// ISO form.
    public var description: String { CivilCalendar.text(microseconds: microsecondsSince2000) }

    /// By time; `infinity` last.
    public static func < (left: LocalDateTime, right: LocalDateTime) -> Bool {
        left.microsecondsSince2000 < right.microsecondsSince2000
    }

    // MARK: PostgreSQL

    /// `timestamp`
    public static var postgresType: PostgresTypeOID { .timestamp }
    /// The form depends on a setting.
    public static var textHint: String { "not in ISO form; SET DateStyle = ISO" }

    /// Eight bytes.
    ///
    /// - Throws: `PostgresValueError(.outOfRange)` for a time before `earliest` or after `latest`.
    public func appendBinary(to bytes: inout [UInt8]) throws(PostgresValueError) {
        guard isLegal else { throw .outsideCalendar("timestamp") }
        bytes.appendBigEndian(microsecondsSince2000)
    }

    /// Eight bytes.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        microsecondsSince2000 = try reader.integer()
    }
}
