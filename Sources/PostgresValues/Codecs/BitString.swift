/// A string of bits, as `bit(n)` and `varbit` have it.
public struct BitString: PostgresBinaryValue, Comparable {
    /// The bits, eight to a byte, the first in the highest place; those past the end are 0.
    public let bytes: [UInt8]
    /// How many bits there are.
    public let count: Int

    /// Bits one by one.
    public init(_ bits: some Sequence<Bool>) {
        var bytes: [UInt8] = []
        var count = 0
        for bit in bits {
            if count % 8 == 0 { bytes.append(0) }
            if bit { bytes[count / 8] |= 0x80 >> UInt8(count % 8) }
            count += 1
        }
        self.bytes = bytes
        self.count = count
    }

    /// The first bits of some bytes; nil when there are not exactly as many bytes as they fill. What is past them becomes
    /// 0.
    public init?(bytes: [UInt8], count: Int) {
        guard count >= 0, bytes.count == count / 8 + (count % 8 == 0 ? 0 : 1) else { return nil }
        var bytes = bytes
        if count % 8 != 0 { bytes[bytes.count - 1] &= ~(0xFF >> UInt8(count % 8)) }
        self.bytes = bytes
        self.count = count
    }

    /// The bit at a position, from 0, the leftmost; the position must exist.
    public subscript(position: Int) -> Bool {
        precondition(position >= 0 && position < count, "bit position out of range")
        return bytes[position / 8] & (0x80 >> UInt8(position % 8)) != 0
    }

    /// Reads `01101`; nil for another text.
    public init?(_ description: String) {
        guard description.utf8.allSatisfy({ $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: "1") }) else {
            return nil
        }
        self.init(description.utf8.lazy.map { $0 == UInt8(ascii: "1") })
    }

    /// `01101`
    public var description: String {
        String(decoding: (0..<count).map { UInt8(ascii: self[$0] ? "1" : "0") }, as: UTF8.self)
    }

    /// Bit by bit, the shorter first.
    public static func < (left: BitString, right: BitString) -> Bool {
        if left.bytes != right.bytes { return left.bytes.lexicographicallyPrecedes(right.bytes) }
        return left.count < right.count
    }

    // MARK: PostgreSQL

    /// `varbit`, which goes into a `bit(n)` column when it has n bits.
    public static var postgresType: PostgresTypeOID { .varbit }
    /// `varbit` and `bit`.
    public static var readableTypes: [PostgresTypeOID] { [.varbit, .bit] }

    /// Four bytes of how many bits, and the bits.
    ///
    /// - Throws: `PostgresValueError(.outOfRange)` for more than two thousand million bits.
    public func appendBinary(to bytes: inout [UInt8]) throws(PostgresValueError) {
        guard let count = Int32(exactly: count) else {
            throw PostgresValueError(.outOfRange, "\(count) bits are too many for varbit")
        }
        bytes.appendBigEndian(count)
        bytes += self.bytes
    }

    /// Four bytes of how many bits, and the bits.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        let count = try reader.integer(Int32.self)
        guard let value = BitString(bytes: Array(reader.rest()), count: Int(count)) else {
            throw reader.malformed("the number of bits does not fit the bytes")
        }
        self = value
    }
}
