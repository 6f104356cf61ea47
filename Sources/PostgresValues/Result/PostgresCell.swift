/// One value of a result, looked at in place.
///
/// The bytes belong to the result and are valid only until the `decode` that was given the cell returns: copy what
/// you keep.
public struct PostgresCell {
    /// The type that the server says the value has.
    public let oid: PostgresTypeOID
    /// The form of the bytes.
    public let format: PostgresFormat
    /// The value, nil for NULL.
    public let bytes: UnsafeRawBufferPointer?

    /// Makes a cell over bytes that the caller keeps alive while it is read.
    @inlinable
    public init(oid: PostgresTypeOID, format: PostgresFormat, bytes: UnsafeRawBufferPointer?) {
        self.oid = oid
        self.format = format
        self.bytes = bytes
    }

    /// Whether the value is NULL.
    @inlinable public var isNull: Bool { bytes == nil }

    /// The bytes of a value that must not be NULL.
    ///
    /// - Throws: `PostgresValueError(.unexpectedNull)` for a NULL.
    public func required(for wanted: Any.Type) throws(PostgresValueError) -> UnsafeRawBufferPointer {
        guard let bytes else {
            throw PostgresValueError(
                .unexpectedNull, "NULL in a \(oid) cannot be read as \(wanted); read \(wanted)? instead")
        }
        return bytes
    }

    /// The error for a type that the wanted Swift type does not read.
    public func mismatch(_ wanted: Any.Type, cast: String? = nil) -> PostgresValueError {
        PostgresValueError(.typeMismatch, "cannot read \(oid) as \(wanted)", suggestedCast: cast)
    }

    /// The error for bytes that are not a value of their type.
    public func malformed(_ wanted: Any.Type, _ detail: String) -> PostgresValueError {
        PostgresValueError(.malformed, "cannot read \(format) \(oid) as \(wanted): \(detail)")
    }

    /// The bytes of a binary value of exactly that type and size, in the machine's order; nil: it takes a closer look.
    @inlinable @inline(__always)
    func plain<I: FixedWidthInteger>(_: I.Type, of type: PostgresTypeOID) -> I? {
        guard oid.rawValue == type.rawValue, case .binary = format, let bytes,
            bytes.count == MemoryLayout<I>.size
        else { return nil }
        return I(bigEndian: bytes.loadUnaligned(as: I.self))
    }

    /// A fixed-size integer of network order that must fill the cell.
    func bigEndian<I: FixedWidthInteger>(_: I.Type, for wanted: Any.Type) throws(PostgresValueError) -> I {
        let bytes = try required(for: wanted)
        guard bytes.count == MemoryLayout<I>.size else {
            throw malformed(wanted, "\(bytes.count) bytes instead of \(MemoryLayout<I>.size)")
        }
        return I(bigEndian: bytes.loadUnaligned(as: I.self))
    }
}
