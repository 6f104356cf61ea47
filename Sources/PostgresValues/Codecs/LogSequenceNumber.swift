/// A place in the write-ahead log, as `pg_lsn` has it.
public struct LogSequenceNumber: PostgresBinaryValue, Comparable, RawRepresentable {
    /// The number of bytes before it.
    public var rawValue: UInt64

    /// A place by its number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Reads `16/B374D848`; nil for another text.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { hexDigit($0) != nil } }),
            let high = UInt32(parts[0], radix: 16), let low = UInt32(parts[1], radix: 16)
        else { return nil }
        self.init(rawValue: UInt64(high) << 32 | UInt64(low))
    }

    /// `16/B374D848`
    public var description: String {
        String(rawValue >> 32, radix: 16, uppercase: true) + "/"
            + String(rawValue & 0xFFFF_FFFF, radix: 16, uppercase: true)
    }

    /// By place.
    public static func < (left: LogSequenceNumber, right: LogSequenceNumber) -> Bool {
        left.rawValue < right.rawValue
    }

    // MARK: PostgreSQL

    /// `pg_lsn`
    public static var postgresType: PostgresTypeOID { .pgLSN }

    /// Eight bytes.
    public func appendBinary(to bytes: inout [UInt8]) {
        bytes.appendBigEndian(rawValue)
    }

    /// Eight bytes.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        rawValue = try reader.integer()
    }
}
