/// A host address with the size of its network, as `inet` has it, or a network, as `cidr` does; of IPv4 or IPv6.
///
/// ```swift
/// let host = Inet("192.168.0.1/24")!     // keeps the bits of the host
/// let network = Inet(cidr: "10.0.0.0/8")!
/// ```
public struct Inet: PostgresBinaryValue, Comparable {
    /// 4 bytes or 16.
    public let address: [UInt8]
    /// How many leading bits are the network's, at most 32 or 128.
    public let prefix: UInt8
    /// Whether this is a network (`cidr`) rather than a host (`inet`).
    public let isNetwork: Bool

    /// Whether the address is of IPv6.
    public var isIPv6: Bool { address.count == 16 }

    /// An address; nil when it is not 4 or 16 bytes, the prefix is longer than it, or a network has bits set behind its
    /// prefix, which `cidr` refuses.
    ///
    /// - Parameter prefix: The whole address when not given.
    public init?(address: [UInt8], prefix: UInt8? = nil, isNetwork: Bool = false) {
        guard address.count == 4 || address.count == 16 else { return nil }
        let bits = UInt8(address.count * 8)
        let prefix = prefix ?? bits
        guard prefix <= bits else { return nil }
        self.address = address
        self.prefix = prefix
        self.isNetwork = isNetwork
        if isNetwork && (Int(prefix)..<Int(bits)).contains(where: { bit($0) }) { return nil }
    }

    private func bit(_ index: Int) -> Bool {
        address[index / 8] & (0x80 >> (index % 8)) != 0
    }

    /// Reads a host, `192.168.0.1/24` or `::1`; nil for another text.
    public init?(_ description: String) {
        self.init(description, isNetwork: false)
    }

    /// Reads a network, `10.0.0.0/8`; nil for another text.
    public init?(cidr description: String) {
        self.init(description, isNetwork: true)
    }

    private init?(_ text: String, isNetwork: Bool) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = InetText.parse(parts[0]) else { return nil }
        var prefix: UInt8?
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt8(parts[1])
            else {
                return nil
            }
            prefix = number
        }
        self.init(address: address, prefix: prefix, isNetwork: isNetwork)
    }

    /// What the server writes: the prefix always for a network, for a host when it is not all of the address.
    public var description: String {
        let text = InetText.text(address)
        return isNetwork || Int(prefix) < address.count * 8 ? "\(text)/\(prefix)" : text
    }

    /// PostgreSQL's order: IPv4 first, then by the network's bits, by the prefix, by all bits.
    public static func < (left: Inet, right: Inet) -> Bool {
        if left.isIPv6 != right.isIPv6 { return right.isIPv6 }
        for index in 0..<Int(min(left.prefix, right.prefix)) where left.bit(index) != right.bit(index) {
            return right.bit(index)
        }
        if left.prefix != right.prefix { return left.prefix < right.prefix }
        if left.address != right.address { return left.address.lexicographicallyPrecedes(right.address) }
        // The server finds a host and a network of the same address equal.
        return !left.isNetwork && right.isNetwork
    }

    // MARK: PostgreSQL

    /// `inet`; a network is bound as `cidr`.
    public static var postgresType: PostgresTypeOID { .inet }
    /// `inet` and `cidr`.
    public static var readableTypes: [PostgresTypeOID] { [.inet, .cidr] }

    /// An `inet` or a `cidr`.
    ///
    /// - Throws: Nothing.
    public func postgresParameter() throws -> PostgresParameter {
        try binaryParameter(isNetwork ? .cidr : .inet)
    }

    /// Reads `inet` and `cidr`.
    ///
    /// - Throws: `PostgresValueError`: `.typeMismatch`, `.malformed`, `.unexpectedNull`.
    public static func decode(_ cell: PostgresCell) throws -> Inet {
        try check(cell)
        if cell.format == .text {
            guard let value = Inet(try cell.utf8(for: Inet.self), isNetwork: cell.oid == .cidr) else {
                throw cell.malformed(Inet.self, "not an address")
            }
            return value
        }
        var reader = PostgresBinaryReader(try cell.required(for: Inet.self), oid: cell.oid, wanted: Inet.self)
        let value = try Inet(binary: &reader)
        try reader.end()
        return value
    }

    /// Family (2 or 3), prefix, whether a network, number of bytes, and the bytes.
    public func appendBinary(to bytes: inout [UInt8]) {
        bytes += [isIPv6 ? 3 : 2, prefix, isNetwork ? 1 : 0, UInt8(address.count)]
        bytes += address
    }

    /// Family (2 or 3), prefix, whether a network, number of bytes, and the bytes.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        let family = try reader.integer(UInt8.self)
        let prefix = try reader.integer(UInt8.self)
        let isNetwork = try reader.integer(UInt8.self) != 0
        let count = try reader.integer(UInt8.self)
        let address = Array(try reader.take(Int(count)))
        guard family == (count == 16 ? 3 : 2),
            let value = Inet(address: address, prefix: prefix, isNetwork: isNetwork)
        else { throw reader.malformed("not an address") }
        self = value
    }
}
