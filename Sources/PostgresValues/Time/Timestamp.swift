/// An instant, to the microsecond, as `timestamptz` has it: 4714 BC to 294276 AD, or one of the infinities.
///
/// `description` is what the server writes with `TimeZone = UTC`, `2004-10-19 10:23:54.5+00`; texts with any offset are
/// read. The session's time zone changes the text, never the instant.
public struct Timestamp: PostgresBinaryValue, Comparable {
    /// Microseconds since 2000-01-01 00:00 UTC; the extremes of `Int64` are the infinities.
    public var microsecondsSince2000: Int64

    /// An instant by PostgreSQL's own clock.
    public init(microsecondsSince2000: Int64) {
        self.microsecondsSince2000 = microsecondsSince2000
    }

    /// Later than every other instant.
    public static let infinity = Timestamp(microsecondsSince2000: .max)
    /// Earlier than every other instant.
    public static let negativeInfinity = Timestamp(microsecondsSince2000: .min)
    /// The first instant that the server takes, 4714-11-24 BC.
    public static let earliest = Timestamp(microsecondsSince2000: -211_813_488_000_000_000)
    /// The last instant that the server takes, the end of 294276 AD.
    public static let latest = Timestamp(microsecondsSince2000: 9_223_371_331_199_999_999)

    /// Whether this is an instant rather than an infinity.
    public var isFinite: Bool { self != .infinity && self != .negativeInfinity }

    /// Whether the server takes the value.
    var isLegal: Bool { !isFinite || (Self.earliest...Self.latest).contains(self) }

    /// Reads `2004-10-19 10:23:54.5+02`, ` BC` at the end, `infinity` and `-infinity`; nil for another text.
    public init?(_ description: String) {
        guard let microseconds = CivilCalendar.microseconds(description, withOffset: true) else { return nil }
        self.init(microsecondsSince2000: microseconds)
    }

    /// ISO form at UTC.
    public var description: String { CivilCalendar.text(microseconds: microsecondsSince2000, zone: "+00") }

    /// By time; `infinity` last.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microsecondsSince2000 < right.microsecondsSince2000
    }

    // MARK: PostgreSQL

    /// `timestamptz`; not `timestamp`, which names no instant.
    public static var postgresType: PostgresTypeOID { .timestamptz }
    /// The form depends on a setting.
    public static var textHint: String { "not in ISO form; SET DateStyle = ISO" }

    /// Eight bytes.
    ///
    /// - Throws: `PostgresValueError(.outOfRange)` for an instant before `earliest` or after `latest`.
    public func appendBinary(to bytes: inout [UInt8]) throws(PostgresValueError) {
        guard isLegal else { throw .outsideCalendar("timestamptz") }
        bytes.appendBigEndian(microsecondsSince2000)
    }

    /// Eight bytes.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        microsecondsSince2000 = try reader.integer()
    }
}

extension PostgresValueError {
    static func outsideCalendar(_ type: String) -> PostgresValueError {
        PostgresValueError(.outOfRange, "the value is outside the range of \(type), which begins in 4714 BC")
    }
}
