extension PostgresNumeric: PostgresBinaryValue {
    /// `numeric`
    public static var postgresType: PostgresTypeOID { .numeric }

    private enum Sign {
        static let plus: UInt16 = 0x0000
        static let minus: UInt16 = 0x4000
        static let nan: UInt16 = 0xC000
        static let infinity: UInt16 = 0xD000
        static let negativeInfinity: UInt16 = 0xF000
    }

    /// Number of digits, weight, sign, scale, two bytes each, and two for each digit.
    ///
    /// - Throws: `PostgresValueError(.outOfRange)` for more digits than PostgreSQL takes.
    public func appendBinary(to bytes: inout [UInt8]) throws(PostgresValueError) {
        let sign =
            switch kind {
            case .finite: isMinus ? Sign.minus : Sign.plus
            case .nan: Sign.nan
            case .infinity: Sign.infinity
            case .negativeInfinity: Sign.negativeInfinity
            }
        guard let count = UInt16(exactly: digits.count), let weight = Int16(exactly: weight),
            scale <= Self.maximumScale
        else { throw PostgresValueError(.outOfRange, "the number has more digits than numeric takes") }
        bytes.appendBigEndian(count)
        bytes.appendBigEndian(weight)
        bytes.appendBigEndian(sign)
        bytes.appendBigEndian(UInt16(scale))
        for digit in digits {
            bytes.appendBigEndian(digit)
        }
    }

    /// Number of digits, weight, sign, scale, two bytes each, and two for each digit.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        let count = try reader.integer(UInt16.self)
        let weight = try reader.integer(Int16.self)
        let sign = try reader.integer(UInt16.self)
        let scale = try reader.integer(UInt16.self)
        var digits: [UInt16] = []
        digits.reserveCapacity(min(Int(count), reader.remaining / 2))
        for _ in 0..<count {
            let digit = try reader.integer(UInt16.self)
            guard digit < 10_000 else { throw reader.malformed("a digit of 10000 or more") }
            digits.append(digit)
        }
        switch sign {
        case Sign.nan: self = .nan
        case Sign.infinity: self = .infinity
        case Sign.negativeInfinity: self = .negativeInfinity
        case Sign.plus, Sign.minus:
            guard scale <= Self.maximumScale else { throw reader.malformed("an impossible scale") }
            self.init(isMinus: sign == Sign.minus, weight: Int(weight), digits: digits, scale: Int(scale))
        default: throw reader.malformed("an unknown sign")
        }
    }
}
