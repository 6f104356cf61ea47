// Every integer type reads every integer column, with a range check; each is bound as its own type, `Int` as int8.

extension Int16: PostgresValue {
    /// An `int2`.
    public func postgresParameter() -> PostgresParameter { .bigEndian(self, oid: .int2) }
    /// A NULL `int2`.
    public static var postgresNull: PostgresParameter { .null(.int2) }
    /// Reads `int2`, `int4`, `int8` and `oid`.
    ///
    /// - Throws: `PostgresValueError`: `.outOfRange` when the value does not fit, `.typeMismatch`, `.unexpectedNull`.
    @inlinable
    public static func decode(_ cell: PostgresCell) throws -> Int16 {
        if let value = cell.plain(Int16.self, of: .int2) { return value }
        return try decodeOther(cell)
    }

    @usableFromInline
    static func decodeOther(_ cell: PostgresCell) throws(PostgresValueError) -> Int16 {
        try decodeInteger(cell, cast: "int2")
    }
}

extension Int32: PostgresValue {
    /// An `int4`.
    public func postgresParameter() -> PostgresParameter { .bigEndian(self, oid: .int4) }
    /// A NULL `int4`.
    public static var postgresNull: PostgresParameter { .null(.int4) }
    /// Reads `int2`, `int4`, `int8` and `oid`.
    ///
    /// - Throws: `PostgresValueError`: `.outOfRange` when the value does not fit, `.typeMismatch`, `.unexpectedNull`.
    @inlinable
    public static func decode(_ cell: PostgresCell) throws -> Int32 {
        if let value = cell.plain(Int32.self, of: .int4) { return value }
        return try decodeOther(cell)
    }

    @usableFromInline
    static func decodeOther(_ cell: PostgresCell) throws(PostgresValueError) -> Int32 {
        try decodeInteger(cell, cast: "int4")
    }
}

extension Int64: PostgresValue {
    /// An `int8`.
    public func postgresParameter() -> PostgresParameter { .bigEndian(self, oid: .int8) }
    /// A NULL `int8`.
    public static var postgresNull: PostgresParameter { .null(.int8) }
    /// Reads `int2`, `int4`, `int8` and `oid`.
    ///
    /// - Throws: `PostgresValueError`: `.typeMismatch`, `.unexpectedNull`.
    @inlinable
    public static func decode(_ cell: PostgresCell) throws -> Int64 {
        if let value = cell.plain(Int64.self, of: .int8) { return value }
        if let value = cell.plain(Int32.self, of: .int4) { return Int64(value) }
        return try decodeOther(cell)
    }

    @usableFromInline
    static func decodeOther(_ cell: PostgresCell) throws(PostgresValueError) -> Int64 {
        try decodeInteger(cell, cast: "int8")
    }
}

extension Int: PostgresValue {
    /// An `int8`.
    public func postgresParameter() -> PostgresParameter { .bigEndian(Int64(self), oid: .int8) }
    /// A NULL `int8`.
    public static var postgresNull: PostgresParameter { .null(.int8) }
    /// Reads `int2`, `int4`, `int8` and `oid`.
    ///
    /// - Throws: `PostgresValueError`: `.typeMismatch`, `.unexpectedNull`.
    @inlinable
    public static func decode(_ cell: PostgresCell) throws -> Int {
        if let value = cell.plain(Int64.self, of: .int8) { return Int(value) }
        if let value = cell.plain(Int32.self, of: .int4) { return Int(value) }
        return try decodeOther(cell)
    }

    @usableFromInline
    static func decodeOther(_ cell: PostgresCell) throws(PostgresValueError) -> Int {
        try decodeInteger(cell, cast: "int8")
    }
}

extension UInt32: PostgresValue {
    /// An `oid`.
    public func postgresParameter() -> PostgresParameter { .bigEndian(self, oid: .oid) }
    /// A NULL `oid`.
    public static var postgresNull: PostgresParameter { .null(.oid) }
    /// Reads `oid`, `int2`, `int4` and `int8`.
    ///
    /// - Throws: `PostgresValueError`: `.outOfRange` when the value does not fit, `.typeMismatch`, `.unexpectedNull`.
    public static func decode(_ cell: PostgresCell) throws -> UInt32 { try decodeInteger(cell, cast: "oid") }
}

func decodeInteger<I: FixedWidthInteger>(_ cell: PostgresCell, cast: String) throws(PostgresValueError)
    -> I
{
    let wide: Int64
    switch (cell.oid, cell.format) {
    case (.int2, .binary): wide = Int64(try cell.bigEndian(Int16.self, for: I.self))
    case (.int4, .binary): wide = Int64(try cell.bigEndian(Int32.self, for: I.self))
    case (.int8, .binary): wide = try cell.bigEndian(Int64.self, for: I.self)
    case (.oid, .binary): wide = Int64(try cell.bigEndian(UInt32.self, for: I.self))
    case (.int2, .text), (.int4, .text), (.int8, .text), (.oid, .text):
        guard let parsed = parseDecimal(try cell.required(for: I.self)) else {
            throw cell.malformed(I.self, "not a decimal number")
        }
        wide = parsed
    default:
        throw cell.mismatch(I.self, cast: cast)
    }
    guard let value = I(exactly: wide) else {
        throw PostgresValueError(.outOfRange, "the \(cell.oid) does not fit \(I.self)")
    }
    return value
}

/// The number that ASCII digits spell, nil when they do not spell one of 64 bits.
func parseDecimal(_ bytes: UnsafeRawBufferPointer) -> Int64? {
    var rest = bytes[...]
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative {
        rest = rest.dropFirst()
    }
    guard !rest.isEmpty else { return nil }
    var value: Int64 = 0
    for byte in rest {
        guard byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") else { return nil }
        let digit = Int64(byte - UInt8(ascii: "0"))
        // Gathered below zero, where there is one number more.
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        let (difference, underflow) = product.subtractingReportingOverflow(digit)
        if overflow || underflow { return nil }
        value = difference
    }
    if isNegative { return value }
    return value == .min ? nil : -value
}
