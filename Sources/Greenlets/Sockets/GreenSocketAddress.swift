import Glibc
public import ReactorCore

extension GreenSocket {
    /// Where a socket is bound or connected to.
    ///
    /// ```swift
    /// let any: GreenSocket.Address = try .init("0.0.0.0", port: 8080)
    /// let log: GreenSocket.Address = .unix("/dev/log")
    /// ```
    public enum Address: Hashable, Sendable, CustomStringConvertible {
        /// An IPv4 or IPv6 address with a port.
        case internet(ResolvedAddress)
        /// A path; a name of the abstract namespace when it begins with a zero byte; no name at all when it is empty.
        case unix(String)

        /// The address that `host` spells in numbers; for names ask `Reactor.resolve`. Never waits.
        ///
        /// - Throws: `GreenletError` with code `invalidArgument` for a name, and for a port that is not between 0 and 65535.
        public init(_ host: String, port: Int) throws {
            guard let address = ResolvedAddress(numeric: host, port: port) else {
                throw GreenletError(
                    .invalidArgument,
                    """
                    \(String(reflecting: host)) and port \(port) make no address: give an IP address in numbers, names \
                    go to reactor.resolve(host:port:), and a port between 0 and 65535
                    """)
            }
            self = .internet(address)
        }

        /// The IP address in numbers; nil for a path.
        public var host: String? {
            if case .internet(let address) = self { address.host } else { nil }
        }

        /// The port; nil for a path.
        public var port: Int? {
            if case .internet(let address) = self { address.port } else { nil }
        }

        /// `192.0.2.1:80`, `[2001:db8::1]:80`, `unix:/run/x.sock`, `unix:@abstract`.
        public var description: String {
            switch self {
            case .internet(let address): address.description
            case .unix(let path) where path.utf8.first == 0: "unix:@\(path.dropFirst())"
            case .unix(let path): "unix:\(path)"
            }
        }

        /// Which sockets can use it.
        public var family: Family {
            switch self {
            case .internet(let address): address.isOf(.ipv6) ? .ipv6 : .ipv4
            case .unix: .unix
            }
        }

        /// Calls `body` with the address as C calls want it.
        func withSockAddr<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Value) throws -> Value
        {
            switch self {
            case .internet(let address): return try address.withSockAddr(body)
            case .unix(let path):
                var name = sockaddr_un()
                name.sun_family = sa_family_t(AF_UNIX)
                let bytes = Array(path.utf8)
                let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)!  // a stored property
                let room = MemoryLayout<sockaddr_un>.size - offset
                let isAbstract = bytes.first == 0
                guard bytes.count < room, isAbstract || !bytes.contains(0) else {
                    throw GreenletError(
                        .invalidArgument,
                        "the path \(String(reflecting: path)) is none for a socket: it may have \(room - 1) bytes, none zero"
                    )
                }
                // A path ends with a zero byte; an abstract name, and no name, by its length.
                let length = offset + bytes.count + (isAbstract || bytes.isEmpty ? 0 : 1)
                return try withUnsafeMutableBytes(of: &name) { raw in
                    UnsafeMutableRawBufferPointer(rebasing: raw[offset...]).copyBytes(from: bytes)
                    // A sockaddr_un is seen as any sockaddr.
                    return try body(
                        raw.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(length))
                }
            }
        }

        /// Reads what the kernel has filled in; nil for a family that sockets here do not have.
        init?(_ raw: UnsafeRawBufferPointer) {
            if let address = ResolvedAddress(sockaddr: raw) {
                self = .internet(address)
                return
            }
            let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)!  // as above
            guard raw.count >= MemoryLayout<sa_family_t>.size,
                Int32(raw.loadUnaligned(as: sa_family_t.self)) == AF_UNIX
            else {
                // A datagram of a socketpair has no sender at all.
                guard raw.isEmpty else { return nil }
                self = .unix("")
                return
            }
            let path = raw.dropFirst(offset)
            let end = path.first == 0 ? path.endIndex : path.firstIndex(of: 0) ?? path.endIndex
            self = .unix(String(decoding: path[..<end], as: UTF8.self))
        }
    }
}
