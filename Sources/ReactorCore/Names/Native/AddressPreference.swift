import CLinux
import Glibc

/// The order in which addresses of a host are best tried: RFC 6724, without the rule about prefixes, which would undo the order
/// in which name servers spread the load. Pure, but for `source(of:)`.
struct AddressPreference: Sendable {
    /// The address this machine would send from; nil when it cannot reach the other.
    let source: @Sendable (ResolvedAddress) -> ResolvedAddress?

    /// The addresses, best first; equally good ones stay in their order.
    func sorted(_ addresses: [ResolvedAddress]) -> [ResolvedAddress] {
        let keys = addresses.map(key)
        return addresses.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.map { addresses[$0] }
    }

    /// Less is better, from rule to rule: reachable, of the scope and kind of our own address, preferred, near.
    private func key(_ address: ResolvedAddress) -> [Int] {
        let bytes = Self.bytes(address)
        let kind = Self.kind(bytes)
        guard let source = source(address) else { return [1, 0, 0, -kind.precedence, Self.scope(bytes)] }
        let from = Self.bytes(source)
        return [
            0, Self.scope(from) == Self.scope(bytes) ? 0 : 1, Self.kind(from).label == kind.label ? 0 : 1,
            -kind.precedence, Self.scope(bytes),
        ]
    }

    /// The address as IPv6 has it, 16 bytes.
    private static func bytes(_ address: ResolvedAddress) -> [UInt8] {
        address.isOf(.ipv6)
            ? Array(address.bytes[8..<24])  // sin6_addr
            : [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + address.bytes[4..<8]  // sin_addr
    }

    /// The table of RFC 6724, 2.1.
    private static func kind(_ bytes: [UInt8]) -> (precedence: Int, label: Int) {
        let isNoughtUpToTen = bytes[..<10].allSatisfy { $0 == 0 }
        if isNoughtUpToTen, bytes[10] == 0xFF, bytes[11] == 0xFF { return (35, 4) }
        if isNoughtUpToTen, bytes[10] == 0, bytes[11] == 0 {
            return bytes[12...].elementsEqual([0, 0, 0, 1]) ? (50, 0) : (1, 3)
        }
        switch (bytes[0], bytes[1]) {
        case (0x20, 0x02): return (30, 2)
        case (0x20, 0x01) where bytes[2] == 0 && bytes[3] == 0: return (5, 5)
        case (0xFC, _), (0xFD, _): return (3, 13)
        case (0xFE, 0xC0...0xFF): return (1, 11)
        case (0x3F, 0xFE): return (1, 12)
        default: return (40, 1)
        }
    }

    /// 2 is the link, 5 the site, 14 the world.
    private static func scope(_ bytes: [UInt8]) -> Int {
        if kind(bytes).label == 4 {
            return bytes[12] == 127 || (bytes[12] == 169 && bytes[13] == 254) ? 2 : 14
        }
        switch (bytes[0], bytes[1]) {
        case (0xFF, let second): return Int(second & 0xF)
        case (0xFE, 0x80...0xBF): return 2
        case (0xFE, 0xC0...0xFF): return 5
        default: return kind(bytes).label == 0 ? 2 : 14
        }
    }

    /// By the kernel's routes: a datagram socket is "connected" by finding one, and nothing is sent.
    @Sendable static func source(of address: ResolvedAddress) -> ResolvedAddress? {
        let fd = socket(address.family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        guard address.with(port: 9).withSockAddr({ connect(fd, $0, $1) }) == 0 else { return nil }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &storage) { raw in
            // sockaddr_storage exists to be seen as any sockaddr.
            let result = getsockname(
                fd, raw.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
            return result == 0 ? ResolvedAddress(sockaddr: UnsafeRawBufferPointer(raw)) : nil
        }
    }
}

private func < (left: (key: [Int], place: Int), right: (key: [Int], place: Int)) -> Bool {
    left.key == right.key ? left.place < right.place : left.key.lexicographicallyPrecedes(right.key)
}
