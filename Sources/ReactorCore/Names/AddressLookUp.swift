import CLinux
import Glibc

/// getaddrinfo(3) for stream sockets: addresses in the order of RFC 6724, port 0.
enum AddressLookUp {
    /// Looks a host up. Blocks, unless the flags say that it is numeric.
    static func run(
        _ host: String, _ family: AddressFamily, flags: Int32 = AI_ADDRCONFIG
    ) -> Result<[ResolvedAddress], ReactorError> {
        var hints = addrinfo()
        hints.ai_family =
            switch family {
            case .any: AF_UNSPEC
            case .ipv4: AF_INET
            case .ipv6: AF_INET6
            }
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = flags
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        let systemCode = errno
        guard code == 0 else { return .failure(error(code, systemCode, host)) }
        defer { freeaddrinfo(list) }
        var addresses: [ResolvedAddress] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            guard let address = entry.pointee.ai_addr else { continue }
            let length = entry.pointee.ai_addrlen
            guard let text = numericText(address, length) else { continue }
            let bytes = [UInt8](UnsafeRawBufferPointer(start: address, count: Int(length)))
            addresses.append(ResolvedAddress(bytes: bytes, host: text, port: 0))
        }
        return .success(addresses)
    }

    /// An internet address in numbers, without its port. Never blocks.
    static func numericText(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> String? {
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = getnameinfo(address, length, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST)
        guard code == 0 else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// What getaddrinfo's answer means to the caller: "there is none" or "nobody could say".
    static func error(_ code: Int32, _ systemCode: Int32, _ host: String) -> ReactorError {
        let name = String(reflecting: host)
        switch code {
        // EAI_NODATA and EAI_ADDRFAMILY, glibc's own: the name exists, but without an address of the family.
        case EAI_NONAME, -5, -9:
            return ReactorError(
                .nameNotFound, "the host \(name) has no address: \(String(cString: gai_strerror(code)))")
        case EAI_SYSTEM:
            return ReactorError(
                .nameServiceFailed, "the host \(name) could not be looked up: \(errnoText(systemCode))",
                errno: systemCode)
        default:
            return ReactorError(
                .nameServiceFailed,
                "the host \(name) could not be looked up: \(String(cString: gai_strerror(code)))")
        }
    }
}
