// The values that a binary COPY mostly consists of, written in place: a parameter would be an array of its own for each.

extension Int16 {
    /// Into an `int2`.
    @inlinable
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard column.rawValue == PostgresTypeOID.int2.rawValue else { return false }
        bytes.appendCell(self)
        return true
    }
}

extension Int32 {
    /// Into an `int4`.
    @inlinable
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard column.rawValue == PostgresTypeOID.int4.rawValue else { return false }
        bytes.appendCell(self)
        return true
    }
}

extension Int64 {
    /// Into an `int8`.
    @inlinable
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard column.rawValue == PostgresTypeOID.int8.rawValue else { return false }
        bytes.appendCell(self)
        return true
    }
}

extension Int {
    /// Into an `int8`, or an `int4` that has room for it.
    @inlinable
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        if column.rawValue == PostgresTypeOID.int8.rawValue {
            bytes.appendCell(Int64(self))
            return true
        }
        guard column.rawValue == PostgresTypeOID.int4.rawValue, let small = Int32(exactly: self) else {
            return false
        }
        bytes.appendCell(small)
        return true
    }
}

extension Double {
    /// Into a `float8`.
    @inlinable
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard column.rawValue == PostgresTypeOID.float8.rawValue else { return false }
        bytes.appendCell(bitPattern)
        return true
    }
}

extension Float {
    /// Into a `float4`.
    @inlinable
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard column.rawValue == PostgresTypeOID.float4.rawValue else { return false }
        bytes.appendCell(bitPattern)
        return true
    }
}

extension Bool {
    /// Into a `bool`.
    @inlinable
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard column.rawValue == PostgresTypeOID.bool.rawValue else { return false }
        bytes.appendCell(UInt8(self ? 1 : 0))
        return true
    }
}

extension String {
    /// Into a type whose binary form is its text, unless U+0000 is in it.
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard column.rawValue == PostgresTypeOID.text.rawValue || column.isTextInBinary else { return false }
        var text = self
        return text.withUTF8 { text in
            guard let length = Int32(exactly: text.count), !text.hasZero else { return false }
            bytes.appendBigEndian(length)
            bytes.append(contentsOf: text)
            return true
        }
    }
}

extension Optional where Wrapped: PostgresEncodable {
    /// NULL, or as the value does.
    @inlinable
    public func appendCopyCell(to bytes: inout [UInt8], column: PostgresTypeOID) -> Bool {
        guard let self else {
            bytes.appendBigEndian(Int32(-1))
            return true
        }
        return self.appendCopyCell(to: &bytes, column: column)
    }
}
