import PostgresValues
import Testing

/// Reads one value out of a result of one cell.
func decode<T: PostgresDecodable>(
    _: T.Type = T.self, _ oid: PostgresTypeOID, _ format: PostgresFormat, _ bytes: [UInt8]?
) throws(PostgresValueError) -> T {
    var builder = PostgresRows.Builder(columns: [
        PostgresColumn(name: "value", oid: oid, format: format, index: 0)
    ])
    builder.append(bytes)
    return try builder.finish(commandTag: "SELECT 1")[0].decode(T.self, at: 0)
}

/// Reads one value from its text form.
func decode<T: PostgresDecodable>(_: T.Type = T.self, _ oid: PostgresTypeOID, text: String)
    throws(PostgresValueError) -> T
{
    try decode(T.self, oid, .text, Array(text.utf8))
}

/// The error of reading one value, nil when there was none.
func failure<T: PostgresDecodable>(
    _: T.Type, _ oid: PostgresTypeOID, _ format: PostgresFormat, _ bytes: [UInt8]?
) -> PostgresValueError? {
    do throws(PostgresValueError) {
        _ = try decode(T.self, oid, format, bytes)
        return nil
    } catch {
        return error
    }
}

/// What binding a value and reading the same bytes back gives.
func roundTrip<T: PostgresValue>(_ value: T) throws -> T {
    let parameter = try value.postgresParameter()
    return try decode(T.self, parameter.oid, parameter.format, parameter.bytes)
}

/// An integer's bytes in network order.
func big(_ integer: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: integer.bigEndian) { Array($0) }
}

/// A small generator with a seed, so that a failing value can be found again.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
