/// A time of day with an offset from UTC, as `timetz` has it. Rarely what is wanted: without the day, the offset of a
/// time zone is not known.
public struct OffsetTime: PostgresBinaryValue, Comparable {
    /// The time on the clock there.
    public let time: LocalTime
    /// Seconds east of Greenwich, less than 16 hours either way.
    public let offset: Int32

    /// A time at an offset; nil when the offset is 16 hours or more.
    public init?(_ time: LocalTime, offset: Int32) {
        guard abs(Int64(offset)) < 16 * 3600 else { return nil }
        self.time = time
        self.offset = offset
    }

    /// Reads `10:23:54.5+05:30`; nil for another text.
    public init?(_ description: String) {
        var scanner = TextScanner(description)
        guard let microseconds = scanner.timeOfDay(), let offset = scanner.offset(), scanner.isAtEnd,
            let time = LocalTime(microseconds: microseconds)
        else { return nil }
        self.init(time, offset: Int32(offset))
    }

    /// `10:23:54.5+05:30`
    public var description: String { "\(time)\(CivilCalendar.text(offset: Int64(offset)))" }

    /// By the time at UTC; the more eastern of two equal ones first, as PostgreSQL orders them.
    public static func < (left: OffsetTime, right: OffsetTime) -> Bool {
        (left.universal, -Int64(left.offset)) < (right.universal, -Int64(right.offset))
    }

    private var universal: Int64 { time.microseconds - Int64(offset) * 1_000_000 }

    // MARK: PostgreSQL

    /// `timetz`
    public static var postgresType: PostgresTypeOID { .timetz }

    /// Eight bytes of time, four of seconds west of Greenwich.
    public func appendBinary(to bytes: inout [UInt8]) {
        time.appendBinary(to: &bytes)
        bytes.appendBigEndian(-offset)
    }

    /// Eight bytes of time, four of seconds west of Greenwich.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        let time = try LocalTime(binary: &reader)
        let west = try reader.integer(Int32.self)
        guard west != .min, let value = Self(time, offset: -west) else {
            throw reader.malformed("an offset of a day or more")
        }
        self = value
    }
}
