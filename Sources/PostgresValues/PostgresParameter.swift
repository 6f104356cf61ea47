/// One value bound to a `$n` of a statement, ready for the wire.
public struct PostgresParameter: Hashable, Sendable {
    /// The type told to the server; `.inferred` (0) lets it work the type out from the statement.
    public var oid: PostgresTypeOID
    /// The form of `bytes`.
    public var format: PostgresFormat
    /// The value, nil for NULL. Text has no terminator.
    public var bytes: [UInt8]?

    /// Makes a parameter of bytes that are already in `format`.
    public init(oid: PostgresTypeOID, format: PostgresFormat, bytes: [UInt8]?) {
        self.oid = oid
        self.format = format
        self.bytes = bytes
    }

    /// A NULL of the given type.
    public static func null(_ oid: PostgresTypeOID = .inferred) -> PostgresParameter {
        PostgresParameter(oid: oid, format: .text, bytes: nil)
    }

    /// A text whose type the server infers.
    ///
    /// - Throws: `PostgresValueError(.nulCharacter)` when the text contains U+0000, which no PostgreSQL text
    ///   can hold; refused here because the server's own complaint would come after a round trip.
    public static func text(_ text: String, oid: PostgresTypeOID = .inferred) throws(PostgresValueError)
        -> PostgresParameter
    {
        let bytes = Array(text.utf8)
        if bytes.contains(0) {
            throw PostgresValueError(
                .nulCharacter, "a text parameter contains U+0000, which PostgreSQL cannot store; use bytea")
        }
        return PostgresParameter(oid: oid, format: .text, bytes: bytes)
    }

    /// The most bytes that a value can have: the server takes no message of 1 GiB.
    static let largest = (1 << 30) - 1

    /// What is wrong with bytes that somebody else has made: what the protocol cannot carry, or would carry in part.
    var mistake: PostgresValueError? {
        guard let bytes else { return nil }
        if bytes.count > Self.largest {
            return PostgresValueError(
                .outOfRange,
                "a value of \(bytes.count) bytes cannot be bound: the server takes less than 1 GiB")
        }
        // It would be sent up to there.
        guard format == .text, bytes.withUnsafeBufferPointer({ $0.hasZero }) else { return nil }
        return PostgresValueError(
            .nulCharacter, "a text parameter contains U+0000, which PostgreSQL cannot store; use bytea")
    }

    /// An integer's two's complement bytes in network order.
    static func bigEndian(_ integer: some FixedWidthInteger, oid: PostgresTypeOID) -> PostgresParameter {
        PostgresParameter(
            oid: oid, format: .binary, bytes: withUnsafeBytes(of: integer.bigEndian) { Array($0) })
    }
}
