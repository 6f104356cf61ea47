import Glibc
public import CLinux

/// One address of a host, ready for `connect(2)`.
public struct ResolvedAddress: Hashable, Sendable, CustomStringConvertible {
    /// The bytes of the `sockaddr`, family first.
    public let bytes: [UInt8]
    /// The address in numbers, without the port: `192.0.2.1`, `2001:db8::1`.
    public let host: String
    /// The port.
    public let port: Int

    /// AF_INET or AF_INET6.
    public var family: Int32 {
        bytes.withUnsafeBytes { Int32($0.loadUnaligned(as: sa_family_t.self)) }
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
