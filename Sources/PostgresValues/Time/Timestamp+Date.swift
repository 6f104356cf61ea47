public import FoundationEssentials

extension Timestamp {
    /// The instant of a `Date`, rounded to the nearest microsecond.
    ///
    /// - Throws: `PostgresValueError(.outOfRange)` for a date that is not finite or outside 4714 BC … 294276 AD.
    public init(_ date: Date) throws(PostgresValueError) {
        // Whole seconds apart from the rest: the product of the sum would be rounded twice, which is 1 µs off for
        // some dates before 1864 and after 2137.
        let seconds = date.timeIntervalSinceReferenceDate.rounded(.down)
        guard seconds >= Self.earliestSecond && seconds < Self.endSecond else {
            throw PostgresValueError(
                .outOfRange, "a Date outside 4714 BC to 294276 AD cannot be a timestamptz")
        }
        let rest = ((date.timeIntervalSinceReferenceDate - seconds) * 1e6).rounded()
        self.init(
            microsecondsSince2000: (Int64(seconds) + Self.referenceDate) * 1_000_000 + Int64(rest))
    }

    /// 2001-01-01, `Date`'s zero, on PostgreSQL's clock, in seconds: 366 days.
    fileprivate static let referenceDate: Int64 = 366 * 86_400
    /// 4714-11-24 BC in seconds since 2001.
    private static let earliestSecond = -211_813_488_000.0 - 366 * 86_400
    /// 294277-01-01 in seconds since 2001.
    private static let endSecond = 9_223_371_331_200.0 - 366 * 86_400
}

extension Date {
    /// The nearest `Date`, which is exact to the microsecond until about the year 2286.
    ///
    /// - Throws: `PostgresValueError(.outOfRange)` for the infinities.
    public init(_ timestamp: Timestamp) throws(PostgresValueError) {
        guard timestamp.isFinite else {
            throw PostgresValueError(
                .outOfRange,
                "the timestamptz is \(timestamp), which Date cannot be; read Timestamp, use NULLIF, or compare in "
                    + "SQL")
        }
        // The whole seconds apart from the rest: one division of a large number would round twice.
        let (seconds, rest) = timestamp.microsecondsSince2000.quotientAndRemainder(dividingBy: 1_000_000)
        self.init(
            timeIntervalSinceReferenceDate: Double(seconds - Timestamp.referenceDate) + Double(rest) / 1e6)
    }
}
