// The values that a COPY in text mostly consists of, written in place, as CopyCells does for the binary form.

extension FixedWidthInteger {
    /// Appends the decimal digits.
    func appendDigits(to bytes: inout [UInt8]) {
        // 20 at most, of which none are zeros in front.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var place = 20
            var rest = magnitude
            repeat {
                let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
                place -= 1
                digits[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: remainder)
                rest = quotient
            } while rest != 0
            if self < 0 { bytes.append(UInt8(ascii: "-")) }
            bytes.append(contentsOf: digits[place...])
        }
    }
}

extension Int16 {
    /// Its digits.
    public func appendCopyText(to bytes: inout [UInt8]) -> Bool {
        Int64(self).appendDigits(to: &bytes)
        return true
    }
}

extension Int32 {
    /// Its digits.
    public func appendCopyText(to bytes: inout [UInt8]) -> Bool {
        Int64(self).appendDigits(to: &bytes)
        return true
    }
}

extension Int64 {
    /// Its digits.
    public func appendCopyText(to bytes: inout [UInt8]) -> Bool {
        appendDigits(to: &bytes)
        return true
    }
}

extension Int {
    /// Its digits.
    public func appendCopyText(to bytes: inout [UInt8]) -> Bool {
        Int64(self).appendDigits(to: &bytes)
        return true
    }
}

extension Double {
    /// The text that the server would write.
    public func appendCopyText(to bytes: inout [UInt8]) -> Bool {
        bytes.append(contentsOf: postgresText(of: self).utf8)
        return true
    }
}

extension Float {
    /// The text that the server would write.
    public func appendCopyText(to bytes: inout [UInt8]) -> Bool {
        bytes.append(contentsOf: postgresText(of: self).utf8)
        return true
    }
}

extension Bool {
    /// `t` or `f`.
    public func appendCopyText(to bytes: inout [UInt8]) -> Bool {
        bytes.append(self ? UInt8(ascii: "t") : UInt8(ascii: "f"))
        return true
    }
}

extension String {
    /// The text, escaped where that is needed, unless U+0000 is in it.
    public func appendCopyText(to bytes: inout [UInt8]) -> Bool {
        var text = self
        return text.withUTF8 { text in
            guard text.hasByteToEscape else {
                bytes.append(contentsOf: text)
                return true
            }
            guard !text.hasZero else { return false }
            bytes.append(escaping: text)
            return true
        }
    }
}

extension Optional where Wrapped: PostgresEncodable {
    /// NULL, or as the value does.
    @inlinable
    public func appendCopyText(to bytes: inout [UInt8]) -> Bool {
        guard let self else {
            bytes.appendCopyNull()
            return true
        }
        return self.appendCopyText(to: &bytes)
    }
}

extension [UInt8] {
    /// Appends what stands for NULL in a COPY in text.
    @usableFromInline
    mutating func appendCopyNull() {
        append(UInt8(ascii: "\\"))
        append(UInt8(ascii: "N"))
    }

    /// Appends a text, with a backslash and a letter for each byte that the form of COPY uses itself.
    mutating func append(escaping text: UnsafeBufferPointer<UInt8>) {
        for byte in text {
            let letter: UInt8? =
                switch byte {
                case UInt8(ascii: "\\"): byte
                case 0x08: UInt8(ascii: "b")
                case 0x09: UInt8(ascii: "t")
                case 0x0A: UInt8(ascii: "n")
                case 0x0B: UInt8(ascii: "v")
                case 0x0C: UInt8(ascii: "f")
                case 0x0D: UInt8(ascii: "r")
                default: nil
                }
            if letter != nil {
                append(UInt8(ascii: "\\"))
            }
            append(letter ?? byte)
        }
    }
}
