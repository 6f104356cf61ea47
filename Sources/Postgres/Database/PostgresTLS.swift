import CLibPQ

/// How a connection is encrypted.
public struct PostgresTLS: Hashable, Sendable, CustomStringConvertible {
    /// The protocol's version, `TLSv1.3`.
    public let version: String
    /// The cipher suite, `TLS_AES_256_GCM_SHA384`.
    public let cipher: String
    /// The length of the key in bits.
    public let keyBits: Int

    /// Version and cipher.
    public var description: String { "\(version), \(cipher)" }

    init?(_ handle: OpaquePointer) {
        guard PQsslInUse(handle) == 1 else { return nil }
        func attribute(_ name: String) -> String {
            PQsslAttribute(handle, name).map { String(cString: $0) } ?? ""
        }
        version = attribute("protocol")
        cipher = attribute("cipher")
        keyBits = Int(attribute("key_bits")) ?? 0
    }
}
