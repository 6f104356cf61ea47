/// A time of day, to the microsecond, as `time` has it: 00:00 to 24:00, both included. No day, no time zone.
public struct LocalTime: PostgresBinaryValue, Comparable {
    /// Microseconds since midnight, 0 to 86 400 000 000.
    public let microseconds: Int64

    /// A time by microseconds since midnight; nil outside 00:00 to 24:00.
    public init?(microseconds: Int64) {
        guard (0...CivilCalendar.microsecondsPerDay).contains(microseconds) else { return nil }
        self.microseconds = microseconds
    }

    /// A time by the clock; nil when it shows no such time. 24:00 is one.
    public init?(hour: Int, minute: Int, second: Int = 0, microsecond: Int = 0) {
        guard (0...24).contains(hour), (0..<60).contains(minute), (0..<60).contains(second),
            (0..<1_000_000).contains(microsecond)
        else { return nil }
        self.init(microseconds: Int64((hour * 60 + minute) * 60 + second) * 1_000_000 + Int64(microsecond))
    }

    /// 00:00
    public static let midnight = LocalTime(unchecked: 0)
    /// 24:00, which is later than 23:59:59.999999
    public static let endOfDay = LocalTime(unchecked: CivilCalendar.microsecondsPerDay)

    private init(unchecked microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// 0 to 24
    public var hour: Int { Int(microseconds / 3_600_000_000) }
    /// 0 to 59
    public var minute: Int { Int(microseconds / 60_000_000 % 60) }
    /// 0 to 59
    public var second: Int { Int(microseconds / 1_000_000 % 60) }
    /// 0 to 999 999
    public var microsecond: Int { Int(microseconds % 1_000_000) }

    /// Reads `10:23:54.5`; nil for another text.
    public init?(_ description: String) {
        var scanner = TextScanner(description)
        guard let microseconds = scanner.timeOfDay(), scanner.isAtEnd else { return nil }
        self.init(microseconds: microseconds)
    }

    /// `10:23:54.5`
    public var description: String { CivilCalendar.text(timeOfDay: microseconds) }

    /// By the clock.
    public static func < (left: LocalTime, right: LocalTime) -> Bool {
        left.microseconds < right.microseconds
    }

    // MARK: PostgreSQL

    /// `time`
    public static var postgresType: PostgresTypeOID { .time }

    /// Eight bytes.
    public func appendBinary(to bytes: inout [UInt8]) {
        bytes.appendBigEndian(microseconds)
    }

    /// Eight bytes.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        guard let value = Self(microseconds: try reader.integer()) else {
            throw reader.malformed("not a time of day")
        }
        self = value
    }
}
