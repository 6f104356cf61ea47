import PostgresValues
import ReactorTesting

extension SeededGenerator {
    /// A whole number of any size, small ones as often as large ones.
    mutating func integer<I: FixedWidthInteger>(_: I.Type = I.self) -> I {
        let bits = Int.random(in: 0...I.bitWidth, using: &self)
        let value = I(truncatingIfNeeded: next())
        return bits == I.bitWidth ? value : value >> I(bits)
    }

    mutating func pick<T>(_ values: [T]) -> T {
        values[Int(next() % UInt64(values.count))]
    }

    mutating func chance(_ outOf: UInt64) -> Bool {
        next() % outOf == 0
    }

    /// A float of any bits, NaN of one kind.
    mutating func double() -> Double {
        let value =
            chance(2) ? Double(bitPattern: next()) : Double(integer(Int32.self)) / pick([1, 10, 1000, 1e6])
        return value.isNaN ? .nan : value
    }

    mutating func float() -> Float {
        let value =
            chance(2)
            ? Float(bitPattern: UInt32(truncatingIfNeeded: next())) : Float(integer(Int16.self)) / 10
        return value.isNaN ? .nan : value
    }

    mutating func numeric() -> PostgresNumeric {
        if chance(100) { return pick([.nan, .infinity, .negativeInfinity, 0]) }
        var text = chance(2) ? "-" : ""
        func digits(_ count: Int) -> String {
            var run = ""
            while run.utf8.count < count {
                // Runs of zeros are where the groups of four are put together wrongly.
                run += chance(3) ? "0000" : String(next() % 100_000)
            }
            return String(run.prefix(count))
        }
        text += digits(Int(next() % 30) + 1)
        let scale = Int(next() % 24)
        if scale > 0 { text += "." + digits(scale) }
        return PostgresNumeric(text) ?? .nan
    }

    /// A text of letters, quotes, blanks and characters of several bytes.
    mutating func text(_ longest: UInt64 = 12) -> String {
        let characters: [Character] = [
            "a", "Z", "0", " ", "\"", "'", "\\", ",", "{", "}", "(", ")", "[", "]", "\t", "\n", "é", "€", "🐘",
            "N", ";",
            "\u{1}", "\u{7F}", "=", ">",
        ]
        return String((0..<(next() % (longest + 1))).map { _ in pick(characters) })
    }

    mutating func timestamp() -> Timestamp {
        switch next() % 50 {
        case 0: pick([.infinity, .negativeInfinity, .earliest, .latest])
        case 1..<25:
            Timestamp(
                microsecondsSince2000: .random(
                    in: Timestamp.earliest.microsecondsSince2000...Timestamp.latest.microsecondsSince2000,
                    using: &self))
        default:
            Timestamp(
                microsecondsSince2000: .random(
                    in: -3_000_000_000_000_000...3_000_000_000_000_000, using: &self))
        }
    }

    mutating func localDateTime() -> LocalDateTime { LocalDateTime(timestamp()) }

    mutating func date() -> LocalDate {
        switch next() % 50 {
        case 0: pick([.infinity, .negativeInfinity, .earliest, .latest])
        case 1..<25:
            LocalDate(
                daysSince2000: .random(
                    in: LocalDate.earliest.daysSince2000...LocalDate.latest.daysSince2000, using: &self))
        default: LocalDate(daysSince2000: .random(in: -800_000...800_000, using: &self))
        }
    }

    mutating func time() -> LocalTime {
        chance(50)
            ? pick([.midnight, .endOfDay])
            : LocalTime(microseconds: .random(in: 0...86_400_000_000, using: &self)) ?? .midnight
    }

    mutating func interval() -> Interval {
        Interval(
            months: chance(3) ? 0 : integer(), days: chance(3) ? 0 : integer(),
            microseconds: chance(3) ? 0 : integer())
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in chance(3) ? 0 : UInt8(truncatingIfNeeded: next()) }
    }

    mutating func inet() -> Inet {
        let address = bytes(chance(2) ? 4 : 16)
        let prefix = chance(2) ? nil : UInt8(next() % UInt64(address.count * 8 + 1))
        return Inet(address: address, prefix: prefix)!
    }

    mutating func network() -> Inet {
        var address = bytes(chance(2) ? 4 : 16)
        let prefix = Int(next() % UInt64(address.count * 8 + 1))
        for bit in prefix..<(address.count * 8) { address[bit / 8] &= ~(0x80 >> UInt8(bit % 8)) }
        return Inet(address: address, prefix: UInt8(prefix), isNetwork: true)!
    }

    mutating func point() -> PostgresPoint { PostgresPoint(x: double(), y: double()) }

    mutating func points() -> [PostgresPoint] { (0...(next() % 4)).map { _ in point() } }

    /// A range in the form that the server gives those of discrete types.
    mutating func range<Bound: Comparable & PostgresRangeBound>(_ make: (inout SeededGenerator) -> Bound)
        -> PostgresRange<Bound>
    {
        let (first, second) = (make(&self), make(&self))
        let (low, high) = (min(first, second), max(first, second))
        switch next() % 10 {
        case 0: return .empty
        case 1: return PostgresRange(lower: .unbounded, upper: .exclusive(high))
        case 2: return PostgresRange(lower: .inclusive(low), upper: .unbounded)
        case 3: return .everything
        default: return low < high ? PostgresRange(low..<high) : .empty
        }
    }

    mutating func multirange<Bound: Comparable & PostgresRangeBound>(_ make: (inout SeededGenerator) -> Bound)
        -> PostgresMultirange<Bound>
    {
        var bounds = (0..<(next() % 4 * 2)).map { _ in make(&self) }.sorted()
        var ranges: [PostgresRange<Bound>] = []
        while let upper = bounds.popLast(), let lower = bounds.popLast() {
            if lower < upper, bounds.last != lower { ranges.insert(PostgresRange(lower..<upper), at: 0) }
        }
        return PostgresMultirange(ranges)
    }
}
