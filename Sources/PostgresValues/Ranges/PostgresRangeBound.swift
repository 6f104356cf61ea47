public import FoundationEssentials

/// A type over which there are SQL ranges.
///
/// For a range type made by `CREATE TYPE … AS RANGE` leave both types `.inferred`, which they are unless said otherwise.
public protocol PostgresRangeBound: PostgresArrayElement, Hashable {
    /// The range type over it.
    static var rangeType: PostgresTypeOID { get }
    /// The multirange type over it.
    static var multirangeType: PostgresTypeOID { get }
    /// Other range types whose bounds it reads.
    static var readableRangeTypes: [PostgresTypeOID] { get }
    /// Other multirange types whose bounds it reads.
    static var readableMultirangeTypes: [PostgresTypeOID] { get }
    /// The text by which the server knows the value, before any quoting.
    var boundText: String { get }
}

extension PostgresRangeBound where Self: PostgresTextValue {
    /// The description.
    public var boundText: String { description }
}

extension PostgresRangeBound where Self: BinaryInteger {
    /// The digits.
    public var boundText: String { String(self) }
}

extension PostgresRangeBound {
    /// The text of what is bound; a value that cannot be bound, such as an infinite `Date`, has only Swift's.
    public var boundText: String {
        let bytes = try? postgresParameter().textBytes()
        return bytes.map { String(decoding: $0, as: UTF8.self) } ?? "\(self)"
    }
    /// Not known.
    public static var rangeType: PostgresTypeOID { .inferred }
    /// Not known.
    public static var multirangeType: PostgresTypeOID { .inferred }
    /// The one range type.
    public static var readableRangeTypes: [PostgresTypeOID] { [rangeType] }
    /// The one multirange type.
    public static var readableMultirangeTypes: [PostgresTypeOID] { [multirangeType] }
}

extension Int32: PostgresRangeBound {
    /// `int4range`
    public static var rangeType: PostgresTypeOID { .int4range }
    /// `int4multirange`
    public static var multirangeType: PostgresTypeOID { .int4multirange }
}

extension Int64: PostgresRangeBound {
    /// `int8range`
    public static var rangeType: PostgresTypeOID { .int8range }
    /// `int8multirange`
    public static var multirangeType: PostgresTypeOID { .int8multirange }
    /// `int8range` and `int4range`
    public static var readableRangeTypes: [PostgresTypeOID] { [.int8range, .int4range] }
    /// `int8multirange` and `int4multirange`
    public static var readableMultirangeTypes: [PostgresTypeOID] { [.int8multirange, .int4multirange] }
}

extension Int: PostgresRangeBound {
    /// `int8range`
    public static var rangeType: PostgresTypeOID { .int8range }
    /// `int8multirange`
    public static var multirangeType: PostgresTypeOID { .int8multirange }
    /// `int8range` and `int4range`
    public static var readableRangeTypes: [PostgresTypeOID] { [.int8range, .int4range] }
    /// `int8multirange` and `int4multirange`
    public static var readableMultirangeTypes: [PostgresTypeOID] { [.int8multirange, .int4multirange] }
}

extension PostgresNumeric: PostgresRangeBound {
    /// `numrange`
    public static var rangeType: PostgresTypeOID { .numrange }
    /// `nummultirange`
    public static var multirangeType: PostgresTypeOID { .nummultirange }
}

extension Decimal: PostgresRangeBound {
    /// `numrange`
    public static var rangeType: PostgresTypeOID { .numrange }
    /// `nummultirange`
    public static var multirangeType: PostgresTypeOID { .nummultirange }
}

extension LocalDateTime: PostgresRangeBound {
    /// `tsrange`
    public static var rangeType: PostgresTypeOID { .tsrange }
    /// `tsmultirange`
    public static var multirangeType: PostgresTypeOID { .tsmultirange }
}

extension Timestamp: PostgresRangeBound {
    /// `tstzrange`
    public static var rangeType: PostgresTypeOID { .tstzrange }
    /// `tstzmultirange`
    public static var multirangeType: PostgresTypeOID { .tstzmultirange }
}

extension Date: PostgresRangeBound {
    /// `tstzrange`
    public static var rangeType: PostgresTypeOID { .tstzrange }
    /// `tstzmultirange`
    public static var multirangeType: PostgresTypeOID { .tstzmultirange }
}

extension LocalDate: PostgresRangeBound {
    /// `daterange`
    public static var rangeType: PostgresTypeOID { .daterange }
    /// `datemultirange`
    public static var multirangeType: PostgresTypeOID { .datemultirange }
}

extension PostgresTypeOID {
    /// The type of a range's bounds or the ranges of a multirange, where built in.
    var rangeElement: PostgresTypeOID? {
        switch self {
        case .int4range: .int4
        case .int8range: .int8
        case .numrange: .numeric
        case .tsrange: .timestamp
        case .tstzrange: .timestamptz
        case .daterange: .date
        case .int4multirange: .int4range
        case .int8multirange: .int8range
        case .nummultirange: .numrange
        case .tsmultirange: .tsrange
        case .tstzmultirange: .tstzrange
        case .datemultirange: .daterange
        default: nil
        }
    }
}
