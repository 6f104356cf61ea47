/// A decimal number without loss, as `numeric` has it: up to 131 072 digits before the point and 16 383 behind it, NaN
/// and the infinities.
///
/// `1.10` and `1.1` are `==`, as in PostgreSQL, and yet each keeps its own text: the number of digits behind the point is
/// part of the value (`scale`) and not of its size. Named so because `Numeric` is a protocol of the standard library.
/// ```swift
/// let price = PostgresNumeric("19.90")!
/// let count: PostgresNumeric = 340_282_366_920_938_463_463_374_607_431_768_211_456
/// ```
public struct PostgresNumeric: Sendable {
    enum Kind: Hashable, Sendable {
        case finite
        case nan
        case infinity
        case negativeInfinity
    }

    let kind: Kind
    let isMinus: Bool
    /// The power of 10 000 that the first digit stands for.
    let weight: Int
    /// In base 10 000, the first and the last not 0; none for zero.
    let digits: [UInt16]
    /// How many decimal digits are shown behind the point.
    public let scale: Int

    /// The most digits that PostgreSQL takes before the point.
    static let maximumIntegerDigits = 131_072
    /// The most digits that PostgreSQL takes behind the point.
    static let maximumScale = 16_383

    private init(kind: Kind) {
        self.kind = kind
        isMinus = false
        weight = 0
        digits = []
        scale = 0
    }

    /// Drops zeros at both ends.
    init(isMinus: Bool, weight: Int, digits: some Collection<UInt16>, scale: Int) {
        let leading = digits.prefix { $0 == 0 }.count
        var digits = Array(digits.dropFirst(leading))
        while digits.last == 0 { digits.removeLast() }
        kind = .finite
        self.isMinus = isMinus && !digits.isEmpty
        self.weight = digits.isEmpty ? 0 : weight - leading
        self.digits = digits
        self.scale = scale
    }

    /// Not a number; equal to itself and greater than all others, as in PostgreSQL.
    public static let nan = PostgresNumeric(kind: .nan)
    /// Greater than every number but NaN.
    public static let infinity = PostgresNumeric(kind: .infinity)
    /// Less than every number.
    public static let negativeInfinity = PostgresNumeric(kind: .negativeInfinity)

    /// Whether this is a number rather than NaN or an infinity.
    public var isFinite: Bool { kind == .finite }
    /// Whether this is NaN.
    public var isNaN: Bool { kind == .nan }

    /// −1, 0 or 1; 0 for NaN.
    public var signum: Int {
        switch kind {
        case .finite: digits.isEmpty ? 0 : isMinus ? -1 : 1
        case .nan: 0
        case .infinity: 1
        case .negativeInfinity: -1
        }
    }

    /// The number with the other sign; NaN stays.
    public static prefix func - (value: PostgresNumeric) -> PostgresNumeric {
        switch value.kind {
        case .finite:
            PostgresNumeric(
                isMinus: !value.isMinus, weight: value.weight, digits: value.digits, scale: value.scale)
        case .nan: .nan
        case .infinity: .negativeInfinity
        case .negativeInfinity: .infinity
        }
    }
}

extension PostgresNumeric: Comparable {
    /// Whether the numbers are the same; digits shown behind the point do not count, and NaN equals itself.
    public static func == (left: PostgresNumeric, right: PostgresNumeric) -> Bool {
        left.kind == right.kind && left.isMinus == right.isMinus && left.weight == right.weight
            && left.digits == right.digits
    }

    /// PostgreSQL's order: −∞, the numbers, ∞, NaN.
    public static func < (left: PostgresNumeric, right: PostgresNumeric) -> Bool {
        if left.kind != .finite || right.kind != .finite { return left.rank < right.rank }
        if left.signum != right.signum { return left.signum < right.signum }
        return left.isMinus ? right.isSmaller(than: left) : left.isSmaller(than: right)
    }

    private var rank: Int {
        switch kind {
        case .negativeInfinity: 0
        case .finite: 1
        case .infinity: 2
        case .nan: 3
        }
    }

    /// Compares the sizes of numbers of one sign.
    private func isSmaller(than other: PostgresNumeric) -> Bool {
        if digits.isEmpty || other.digits.isEmpty { return digits.isEmpty && !other.digits.isEmpty }
        if weight != other.weight { return weight < other.weight }
        return digits.lexicographicallyPrecedes(other.digits)
    }
}

extension PostgresNumeric: Hashable {
    /// Equal numbers hash alike, whatever their scale.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(isMinus)
        hasher.combine(weight)
        hasher.combine(digits)
    }
}
