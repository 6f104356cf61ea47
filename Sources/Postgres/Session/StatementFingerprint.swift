import PostgresValues

extension SQL {
    /// A number by which the statement is looked up: of its text and of the types of its values.
    ///
    /// Eight bytes at a time: the standard library's hash of a text took longer than the look-up. Whoever can write
    /// statements could make two collide, and gains that one of them is prepared again.
    var fingerprint: UInt64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        let isDone: Void? = text.utf8.withContiguousStorageIfAvailable { Self.mix($0, into: &hash) }
        if isDone == nil { Array(text.utf8).withUnsafeBufferPointer { Self.mix($0, into: &hash) } }
        for parameter in parameters { Self.mix(UInt64(parameter.oid.rawValue), into: &hash) }
        return hash
    }

    private static func mix(_ bytes: UnsafeBufferPointer<UInt8>, into hash: inout UInt64) {
        let raw = UnsafeRawBufferPointer(bytes)
        var offset = 0
        while offset + 8 <= raw.count {
            mix(raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self), into: &hash)
            offset += 8
        }
        var rest = UInt64(raw.count) << 56
        while offset < raw.count {
            rest = rest << 8 | UInt64(raw[offset])
            offset += 1
        }
        mix(rest, into: &hash)
    }

    private static func mix(_ word: UInt64, into hash: inout UInt64) {
        let product = (hash ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        hash = product.high ^ product.low
    }
}
