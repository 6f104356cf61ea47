/// A range, as `int4range`, `tstzrange` and their like have it: with bounds that are included, excluded or not there, and
/// empty.
///
/// Two are `==` when they are written alike. The server brings ranges of discrete types into one form, `[1,10]` into
/// `[1,11)`; what was bound and what is read may so differ, and comparing sets is the server's.
/// ```swift
/// let stay = PostgresRange(arrival..<departure)
/// let open = PostgresRange<Timestamp>(lower: .inclusive(start), upper: .unbounded)
/// ```
public struct PostgresRange<Bound: PostgresRangeBound>: Hashable, Sendable {
    /// Where a range begins or ends.
    public enum Endpoint: Hashable, Sendable {
        /// Nowhere. Not the same as the value `infinity`.
        case unbounded
        /// At a value, which is in the range.
        case inclusive(Bound)
        /// At a value, which is not in the range.
        case exclusive(Bound)

        /// The value, if there is one.
        public var bound: Bound? {
            switch self {
            case .unbounded: nil
            case .inclusive(let bound), .exclusive(let bound): bound
            }
        }
    }

    /// Where it begins; `.unbounded` for the empty range, too.
    public let lower: Endpoint
    /// Where it ends; `.unbounded` for the empty range, too.
    public let upper: Endpoint
    /// Whether it was said to contain nothing; `[1,1)` becomes so in the server only.
    public let isEmpty: Bool

    /// A range by its ends. The server refuses one whose lower bound is greater than the upper.
    public init(lower: Endpoint, upper: Endpoint) {
        self.lower = lower
        self.upper = upper
        isEmpty = false
    }

    private init() {
        (lower, upper, isEmpty) = (.unbounded, .unbounded, true)
    }

    /// The range of nothing.
    public static var empty: PostgresRange { PostgresRange() }
    /// The range of everything.
    public static var everything: PostgresRange { PostgresRange(lower: .unbounded, upper: .unbounded) }
}

extension PostgresRange where Bound: Comparable {
    /// `[a,b)`, or the empty range.
    public init(_ range: Range<Bound>) {
        self =
            range.isEmpty
            ? .empty : Self(lower: .inclusive(range.lowerBound), upper: .exclusive(range.upperBound))
    }

    /// `[a,b]`
    public init(_ range: ClosedRange<Bound>) {
        self.init(lower: .inclusive(range.lowerBound), upper: .inclusive(range.upperBound))
    }

    /// `[a,)`
    public init(_ range: PartialRangeFrom<Bound>) {
        self.init(lower: .inclusive(range.lowerBound), upper: .unbounded)
    }

    /// `(,b)`
    public init(_ range: PartialRangeUpTo<Bound>) {
        self.init(lower: .unbounded, upper: .exclusive(range.upperBound))
    }

    /// `(,b]`
    public init(_ range: PartialRangeThrough<Bound>) {
        self.init(lower: .unbounded, upper: .inclusive(range.upperBound))
    }

    /// Whether a value is in the range.
    public func contains(_ value: Bound) -> Bool {
        if isEmpty { return false }
        let isAbove =
            switch lower {
            case .unbounded: true
            case .inclusive(let bound): value >= bound
            case .exclusive(let bound): value > bound
            }
        let isBelow =
            switch upper {
            case .unbounded: true
            case .inclusive(let bound): value <= bound
            case .exclusive(let bound): value < bound
            }
        return isAbove && isBelow
    }
}

extension Range where Bound: PostgresRangeBound {
    /// The same range, nil when it is not of the form `[a,b)`.
    public init?(_ range: PostgresRange<Bound>) {
        guard case .inclusive(let lower) = range.lower, case .exclusive(let upper) = range.upper,
            lower <= upper
        else { return nil }
        self = lower..<upper
    }
}

extension ClosedRange where Bound: PostgresRangeBound {
    /// The same range, nil when it is not of the form `[a,b]`.
    public init?(_ range: PostgresRange<Bound>) {
        guard case .inclusive(let lower) = range.lower, case .inclusive(let upper) = range.upper,
            lower <= upper
        else { return nil }
        self = lower...upper
    }
}
