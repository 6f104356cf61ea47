/// A hardware address of 6 bytes, as `macaddr` has it, or of 8, as `macaddr8` does.
public struct MACAddress: PostgresBinaryValue, Comparable {
    /// 6 bytes or 8.
    public let bytes: [UInt8]

    /// An address; nil when it is not 6 or 8 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 6 || bytes.count == 8 else { return nil }
        self.bytes = bytes
    }

    /// Reads `08:00:2b:01:02:03`, two hexadecimal digits for each byte; nil for another text.
    public init?(_ description: String) {
        var bytes: [UInt8] = []
        for part in description.split(separator: ":", omittingEmptySubsequences: false) {
            let digits = part.utf8.compactMap { hexDigit($0) }
            guard digits.count == 2, part.utf8.count == 2 else { return nil }
            bytes.append(digits[0] << 4 | digits[1])
        }
        self.init(bytes: bytes)
    }

    /// `08:00:2b:01:02:03`
    public var description: String {
        bytes.map { hexadecimal([$0]) }.joined(separator: ":")
    }

    /// Byte by byte.
    public static func < (left: MACAddress, right: MACAddress) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    // MARK: PostgreSQL

    /// `macaddr`; 8 bytes are bound as `macaddr8`.
    public static var postgresType: PostgresTypeOID { .macaddr }
    /// `macaddr` and `macaddr8`.
    public static var readableTypes: [PostgresTypeOID] { [.macaddr, .macaddr8] }

    /// A `macaddr` or a `macaddr8`.
    ///
    /// - Throws: Nothing.
    public func postgresParameter() throws -> PostgresParameter {
        try binaryParameter(bytes.count == 8 ? .macaddr8 : .macaddr)
    }

    /// The bytes.
    public func appendBinary(to bytes: inout [UInt8]) {
        bytes += self.bytes
    }

    /// The bytes.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        guard let value = MACAddress(bytes: Array(reader.rest())) else {
            throw reader.malformed("neither 6 nor 8 bytes")
        }
        self = value
    }
}
