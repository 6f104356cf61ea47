extension Double: PostgresValue {
    /// A `float8`; NaN, infinities and −0 included.
    public func postgresParameter() -> PostgresParameter { .bigEndian(bitPattern, oid: .float8) }

    /// A NULL `float8`.
    public static var postgresNull: PostgresParameter { .null(.float8) }

    /// Reads `float8` and `float4`. Not `numeric`, which could lose digits silently: cast it.
    ///
    /// - Throws: `PostgresValueError`: `.typeMismatch`, `.malformed`, `.unexpectedNull`.
    @inlinable
    public static func decode(_ cell: PostgresCell) throws -> Double {
        if let bits = cell.plain(UInt64.self, of: .float8) { return Double(bitPattern: bits) }
        return try decodeOther(cell)
    }

    @usableFromInline
    static func decodeOther(_ cell: PostgresCell) throws(PostgresValueError) -> Double {
        switch (cell.oid, cell.format) {
        case (.float8, .binary):
            return Double(bitPattern: try cell.bigEndian(UInt64.self, for: Double.self))
        case (.float4, .binary):
            return Double(Float(bitPattern: try cell.bigEndian(UInt32.self, for: Double.self)))
        case (.float8, .text):
            return try decodeFloatText(cell)
        case (.float4, .text):
            // Through Float, so that 0.1 is the same number as in binary.
            let float: Float = try decodeFloatText(cell)
            return Double(float)
        default:
            throw cell.mismatch(Double.self, cast: "float8")
        }
    }
}

extension Float: PostgresValue {
    /// A `float4`; NaN, infinities and −0 included.
    public func postgresParameter() -> PostgresParameter { .bigEndian(bitPattern, oid: .float4) }

    /// A NULL `float4`.
    public static var postgresNull: PostgresParameter { .null(.float4) }

    /// Reads `float4`. Not `float8`, which would lose digits silently: read it as `Double` or cast it.
    ///
    /// - Throws: `PostgresValueError`: `.typeMismatch`, `.malformed`, `.unexpectedNull`.
    @inlinable
    public static func decode(_ cell: PostgresCell) throws -> Float {
        if let bits = cell.plain(UInt32.self, of: .float4) { return Float(bitPattern: bits) }
        return try decodeOther(cell)
    }

    @usableFromInline
    static func decodeOther(_ cell: PostgresCell) throws(PostgresValueError) -> Float {
        switch (cell.oid, cell.format) {
        case (.float4, .binary):
            return Float(bitPattern: try cell.bigEndian(UInt32.self, for: Float.self))
        case (.float4, .text):
            return try decodeFloatText(cell)
        default:
            throw cell.mismatch(Float.self, cast: "float4")
        }
    }
}

/// PostgreSQL writes the shortest digits that read back as the same number, `NaN`, `Infinity` and `-Infinity`, all
/// of which Swift reads.
private func decodeFloatText<F: BinaryFloatingPoint & LosslessStringConvertible>(_ cell: PostgresCell)
    throws(PostgresValueError) -> F
{
    let bytes = try cell.required(for: F.self)
    guard let value = F(String(decoding: bytes, as: UTF8.self)) else {
        throw cell.malformed(F.self, "not a number")
    }
    return value
}
