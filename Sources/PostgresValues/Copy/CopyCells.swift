// The values that a binary COPY mostly consists of, written in place: a parameter would be an array of its own for each.

extension [UInt8] {
    /// Appends a number as a cell.
    @inline(__always)
    fileprivate mutating func appendCell(_ number: some FixedWidthInteger) {
        appendBigEndian(Int32(truncatingIfNeeded: number.bitWidth / 8))
        appendBigEndian(number)
    }
}

extension Int16 {
    /// Into an `int2`.
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard column == .int2 else { return false }
        bytes.appendCell(self)
        return true
    }
}

extension Int32 {
    /// Into an `int4`.
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard column == .int4 else { return false }
        bytes.appendCell(self)
        return true
    }
}

extension Int64 {
    /// Into an `int8`.
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard column == .int8 else { return false }
        bytes.appendCell(self)
        return true
    }
}

extension Int {
    /// Into an `int8`, or an `int4` that has room for it.
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        if column == .int8 {
            bytes.appendCell(Int64(self))
            return true
        }
        guard column == .int4, let small = Int32(exactly: self) else { return false }
        bytes.appendCell(small)
        return true
    }
}

extension Double {
    /// Into a `float8`.
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard column == .float8 else { return false }
        bytes.appendCell(bitPattern)
        return true
    }
}

extension Float {
    /// Into a `float4`.
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard column == .float4 else { return false }
        bytes.appendCell(bitPattern)
        return true
    }
}

extension Bool {
    /// Into a `bool`.
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard column == .bool else { return false }
        bytes.appendCell(UInt8(self ? 1 : 0))
        return true
    }
}

extension String {
    /// Into a type whose binary form is its text, unless U+0000 is in it.
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard column == .text || column.isTextInBinary else { return false }
        var text = self
        return text.withUTF8 { text in
            guard let length = Int32(exactly: text.count), !text.contains(0) else { return false }
            bytes.appendBigEndian(length)
            bytes.append(contentsOf: text)
            return true
        }
    }
}

extension Optional where Wrapped: PostgresEncodable {
    /// NULL, or as the value does.
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard let self else {
            bytes.appendBigEndian(Int32(-1))
            return true
        }
        return self.appendCopyCell(to: &bytes, column: column)
    }
}
