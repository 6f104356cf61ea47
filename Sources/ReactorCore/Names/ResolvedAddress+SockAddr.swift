import CLinux
import Glibc

extension ResolvedAddress {
    /// The internet address that a `sockaddr` of the kernel's holds; nil for another family, or too few bytes. Never waits.
    package init?(sockaddr raw: UnsafeRawBufferPointer) {
        guard raw.count >= MemoryLayout<sa_family_t>.size else { return nil }
        let length: Int
        switch Int32(raw.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET: length = MemoryLayout<sockaddr_in>.size
        case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        guard raw.count >= length else { return nil }
        let bytes = [UInt8](raw.prefix(length))
        let host = bytes.withUnsafeBytes { copy in
            // The bytes are a sockaddr's; C reads them as one.
            AddressLookUp.numericText(
                copy.baseAddress!.assumingMemoryBound(to: Glibc.sockaddr.self), socklen_t(length))
        }
        guard let host else { return nil }
        self.init(bytes: bytes, host: host, port: Int(bytes[2]) << 8 | Int(bytes[3]))
    }

    /// The address of 4 or 16 bytes, as DNS has them, with port 0; nil for another number of them.
    init?(internet address: [UInt8]) {
        let family: Int32
        let offset: Int
        let length: Int
        switch address.count {
        case 4: (family, offset, length) = (AF_INET, 4, MemoryLayout<sockaddr_in>.size)
        case 16: (family, offset, length) = (AF_INET6, 8, MemoryLayout<sockaddr_in6>.size)
        default: return nil
        }
        var bytes = [UInt8](repeating: 0, count: length)
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: sa_family_t(family), as: sa_family_t.self) }
        bytes.replaceSubrange(offset..<offset + address.count, with: address)
        let made = bytes.withUnsafeBytes { ResolvedAddress(sockaddr: $0) }
        guard let made else { return nil }
        self = made
    }
}
