import Glibc
public import CLinux

/// One address of a host, ready for `connect(2)`.
public struct ResolvedAddress: Hashable, Sendable, CustomStringConvertible {
    /// The bytes of the `sockaddr`, family first.
    public let bytes: [UInt8]
    /// The address in numbers, without the port: `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0`.
    public let host: String
    /// The port.
    public let port: Int

    init(bytes: [UInt8], host: String, port: Int) {
        self.bytes = bytes
        self.host = host
        self.port = port
    }

    /// The address that `text` spells in numbers; nil when it is not one, or the port is not between 0 and
    /// 65535. Never waits.
    ///
    /// Takes what the system's functions take: `127.1` is an address, and a link-local one may name its
    /// interface (`fe80::1%eth0`) if there is such an interface.
    public init?(numeric text: String, port: Int) {
        guard !text.utf8.contains(0), (0...65_535).contains(port) else { return nil }
        guard case .success(let found) = AddressLookUp.run(text, .any, flags: AI_NUMERICHOST),
            let address = found.first
        else { return nil }
        self = address.with(port: port)
    }

    /// AF_INET or AF_INET6.
    public var family: Int32 {
        bytes.withUnsafeBytes { Int32($0.loadUnaligned(as: sa_family_t.self)) }
    }

    /// Whether it is of a wanted family.
    public func isOf(_ family: AddressFamily) -> Bool {
        switch family {
        case .any: true
        case .ipv4: self.family == AF_INET
        case .ipv6: self.family == AF_INET6
        }
    }

    /// The same address with another port, 0 to 65535.
    func with(port: Int) -> ResolvedAddress {
        var bytes = bytes
        // sin_port and sin6_port: two bytes behind the family, in network order.
        bytes[2] = UInt8(port >> 8)
        bytes[3] = UInt8(port & 0xFF)
        return ResolvedAddress(bytes: bytes, host: host, port: port)
    }

    /// Calls `body` with the address as C calls want it.
    public func withSockAddr<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Value) rethrows
        -> Value
    {
        try bytes.withUnsafeBytes { raw in
            // The bytes were copied from a sockaddr; C reads them as one.
            try body(raw.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
        }
    }

    /// `192.0.2.1:80`, `[2001:db8::1]:80`.
    public var description: String { family == AF_INET6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
