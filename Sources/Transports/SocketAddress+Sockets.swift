import Glibc
public import NIOCore

extension SocketAddress {
    /// `192.0.2.1:80`, `[2001:db8::1]:80`, `unix:/run/x.sock`: how messages name an address.
    public var hostAndPort: String {
        switch self {
        case .v4: "\(ipAddress ?? "?"):\(port ?? 0)"
        case .v6: "[\(ipAddress ?? "?")]:\(port ?? 0)"
        case .unixDomainSocket: "unix:\(pathname ?? "")"
        }
    }

    /// Reads what accept(2), getsockname(2) and their like have filled in. Nil for a family we do not speak.
    init?(_ storage: inout sockaddr_storage) {
        let family = Int32(storage.ss_family)
        let address: SocketAddress? = withUnsafeBytes(of: &storage) { raw in
            switch family {
            case AF_INET: SocketAddress(raw.loadUnaligned(as: sockaddr_in.self))
            case AF_INET6: SocketAddress(raw.loadUnaligned(as: sockaddr_in6.self))
            case AF_UNIX: SocketAddress(raw.loadUnaligned(as: sockaddr_un.self))
            default: nil
            }
        }
        guard let address else { return nil }
        self = address
    }
}
