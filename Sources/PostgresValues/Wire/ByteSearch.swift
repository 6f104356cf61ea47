// Searches that look at eight bytes at a time. Where a byte is smaller than what is subtracted from it, its highest bit is
// set by that, and was not before; for the lowest such byte this is exact, and it is enough to know that there is one.

extension UnsafeBufferPointer<UInt8> {
    /// Whether a byte is zero.
    var hasZero: Bool {
        hasAny({ ($0 &- eachByte(1)) & ~$0 }, { $0 == 0 })
    }

    /// Whether a byte has to be looked at before the text can stand in a COPY as it is: a backslash, or one below 0x0E, where
    /// all others are that are escaped, a few that are not, and zero.
    var hasByteToEscape: Bool {
        hasAny(
            { eight in
                let backslash = eight ^ eachByte(UInt8(ascii: "\\"))
                return ((eight &- eachByte(0x0E)) & ~eight) | ((backslash &- eachByte(1)) & ~backslash)
            },
            { $0 < 0x0E || $0 == UInt8(ascii: "\\") })
    }

    /// Whether there is a byte of some kind: `mark` sets the highest bit of one in eight, `isWanted` looks at one alone.
    @inline(__always)
    private func hasAny(_ mark: (UInt64) -> UInt64, _ isWanted: (UInt8) -> Bool) -> Bool {
        let bytes = UnsafeRawBufferPointer(self)
        var place = 0
        while place + 8 <= count {
            if mark(bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)) & eachByte(0x80) != 0 {
                return true
            }
            place += 8
        }
        while place < count {
            if isWanted(bytes[place]) { return true }
            place += 1
        }
        return false
    }
}

@inline(__always)
private func eachByte(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }
