/// Reads the binary form of a value piece by piece.
///
/// Made over bytes that the caller keeps alive, those of a cell while it is decoded.
public struct PostgresBinaryReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    /// The type of the value.
    public let oid: PostgresTypeOID
    private let wanted: Any.Type

    /// Starts to read; type and wanted Swift type are named by errors.
    public init(_ bytes: UnsafeRawBufferPointer, oid: PostgresTypeOID, wanted: Any.Type) {
        self.bytes = bytes
        self.oid = oid
        self.wanted = wanted
    }

    /// How many bytes are left.
    public var remaining: Int { bytes.count - position }

    /// Takes an integer of network order.
    ///
    /// - Throws: `PostgresValueError(.malformed)` when too few bytes are left.
    public mutating func integer<I: FixedWidthInteger>(_: I.Type = I.self) throws(PostgresValueError) -> I {
        guard remaining >= MemoryLayout<I>.size else { throw malformed("it ends early") }
        defer { position += MemoryLayout<I>.size }
        return I(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: I.self))
    }

    /// Takes a `float8`.
    ///
    /// - Throws: `PostgresValueError(.malformed)` when too few bytes are left.
    public mutating func double() throws(PostgresValueError) -> Double {
        Double(bitPattern: try integer())
    }

    /// Takes some bytes, in place.
    ///
    /// - Throws: `PostgresValueError(.malformed)` when too few are left, or `count` is negative.
    public mutating func take(_ count: Int) throws(PostgresValueError) -> UnsafeRawBufferPointer {
        guard count >= 0 else { throw malformed("a negative length") }
        guard remaining >= count else { throw malformed("it ends early") }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)])
    }

    /// Takes a length of four bytes and as many bytes; nil for the length −1, NULL.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public mutating func sized() throws(PostgresValueError) -> UnsafeRawBufferPointer? {
        let length = try integer(Int32.self)
        return length == -1 ? nil : try take(Int(length))
    }

    /// Takes all that is left.
    public mutating func rest() -> UnsafeRawBufferPointer {
        defer { position = bytes.count }
        return UnsafeRawBufferPointer(rebasing: bytes[position...])
    }

    /// Says that there must be nothing left.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public func end() throws(PostgresValueError) {
        guard remaining == 0 else { throw malformed("\(remaining) bytes too many") }
    }

    /// The error for bytes that are not a value of their type.
    public func malformed(_ detail: String) -> PostgresValueError {
        PostgresValueError(.malformed, "cannot read binary \(oid) as \(wanted): \(detail)")
    }
}
