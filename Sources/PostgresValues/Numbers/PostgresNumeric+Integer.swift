extension PostgresNumeric: ExpressibleByIntegerLiteral {
    /// An integer of any size.
    public init(_ value: some BinaryInteger) {
        var digits: [UInt16] = []
        if var rest = UInt64(exactly: value.magnitude) {
            while rest != 0 {
                digits.append(UInt16(rest % 10_000))
                rest /= 10_000
            }
        } else {
            // Wider than 64 bits, so that 10 000 is one of its numbers.
            var rest = value.magnitude
            while rest != 0 {
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10_000)
                digits.append(UInt16(truncatingIfNeeded: digit))
                rest = quotient
            }
        }
        self.init(isMinus: value < 0, weight: digits.count - 1, digits: digits.reversed(), scale: 0)
    }

    /// A literal of any size.
    public init(integerLiteral value: StaticBigInt) {
        // Two's complement words become a magnitude, which is divided by 10 000 until nothing is left.
        let count = value.bitWidth / UInt.bitWidth + 1
        var words = (0..<count).map { value[$0] }
        let isMinus = value.signum() < 0
        if isMinus {
            var carry = true
            for index in words.indices {
                (words[index], carry) = (~words[index]).addingReportingOverflow(carry ? 1 : 0)
            }
        }
        var digits: [UInt16] = []
        while words.contains(where: { $0 != 0 }) {
            var remainder: UInt = 0
            for index in words.indices.reversed() {
                (words[index], remainder) = UInt(10_000).dividingFullWidth((remainder, words[index]))
            }
            digits.append(UInt16(remainder))
        }
        self.init(isMinus: isMinus, weight: digits.count - 1, digits: digits.reversed(), scale: 0)
    }
}

extension FixedWidthInteger {
    /// The same number, nil when it has a fraction, does not fit, or is none.
    public init?(exactly value: PostgresNumeric) {
        guard value.isFinite, value.digits.count <= value.weight + 1 || value.digits.isEmpty else {
            return nil
        }
        // More groups than the widest type could take: no need to try them all.
        guard value.weight < Self.bitWidth / 13 + 1 else { return nil }
        var sum: Self = 0
        for power in 0...value.weight {
            // One decimal digit at a time, for 10 000 may not fit.
            let group = power < value.digits.count ? value.digits[power] : 0
            for digit in [group / 1000, group / 100 % 10, group / 10 % 10, group % 10] {
                let (product, overflow) = sum.multipliedReportingOverflow(by: 10)
                let (next, carry) =
                    value.isMinus
                    ? product.subtractingReportingOverflow(Self(digit))
                    : product.addingReportingOverflow(Self(digit))
                if overflow || carry { return nil }
                sum = next
            }
        }
        self = sum
    }
}

extension Double {
    /// The nearest `Double`.
    public init(_ value: PostgresNumeric) {
        self = Double(value.description) ?? .nan
    }
}

extension UInt64: PostgresArrayElement {
    /// A `numeric`, as PostgreSQL has no unsigned integer of eight bytes.
    public func postgresParameter() throws -> PostgresParameter {
        try PostgresNumeric(self).postgresParameter()
    }

    /// A NULL `numeric`.
    public static var postgresNull: PostgresParameter { .null(.numeric) }

    /// Reads `numeric` and the integer types.
    ///
    /// - Throws: `PostgresValueError`: `.outOfRange` when the value does not fit or has a fraction, `.typeMismatch`,
    ///   `.unexpectedNull`.
    public static func decode(_ cell: PostgresCell) throws -> UInt64 {
        guard cell.oid == .numeric else { return try decodeInteger(cell, cast: "numeric") }
        guard let value = UInt64(exactly: try PostgresNumeric.decode(cell)) else {
            throw PostgresValueError(.outOfRange, "the numeric does not fit UInt64")
        }
        return value
    }
}
