/// A point on a reactor's clock: nanoseconds since an arbitrary start, never going backwards.
public struct ReactorInstant: InstantProtocol, Hashable, Sendable, CustomStringConvertible {
    /// Nanoseconds since the clock's start.
    public let nanoseconds: Int64

    /// An instant that many nanoseconds after the clock's start.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Later than anything a clock reaches.
    public static let distantFuture = ReactorInstant(nanoseconds: .max)

    /// The instant `duration` later; a sum past the clock's range is `distantFuture`.
    public func advanced(by duration: Duration) -> ReactorInstant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return ReactorInstant(nanoseconds: overflow ? (nanoseconds < 0 ? .min : .max) : sum)
    }

    /// How long from here to `other`; negative when it is earlier.
    public func duration(to other: ReactorInstant) -> Duration {
        let (difference, overflow) = other.nanoseconds.subtractingReportingOverflow(nanoseconds)
        return .nanoseconds(overflow ? (nanoseconds < 0 ? Int64.max : Int64.min) : difference)
    }

    /// Whether `lhs` comes first.
    public static func < (lhs: ReactorInstant, rhs: ReactorInstant) -> Bool {
        lhs.nanoseconds < rhs.nanoseconds
    }

    /// Seconds since the clock's start, for logs.
    public var description: String { "\(Duration.nanoseconds(nanoseconds))" }
}

extension Duration {
    /// Nanoseconds, rounded up so that no wait ends early, and clamped to 292 years.
    package var wholeNanoseconds: Int64 {
        let high = UInt64(truncatingIfNeeded: attoseconds >> 64)
        // One division of the machine does for whatever is neither negative nor longer than 584 years.
        guard high < 1_000_000_000 else { return attoseconds < 0 ? negativeNanoseconds : .max }
        let parts = (high, UInt64(truncatingIfNeeded: attoseconds))
        let (quotient, remainder) = (1_000_000_000 as UInt64).dividingFullWidth(parts)
        guard quotient < Int64.max else { return .max }
        return Int64(quotient) + (remainder > 0 ? 1 : 0)
    }

    private var negativeNanoseconds: Int64 {
        Int64(exactly: attoseconds / 1_000_000_000) ?? .min
    }
}
