/// Several ranges, as `int4multirange`, `tstzmultirange` and their like have them.
///
/// The server sorts them and joins those that overlap or touch; two are `==` when they are written alike.
public struct PostgresMultirange<Bound: PostgresRangeBound>: Hashable, Sendable {
    /// The ranges.
    public var ranges: [PostgresRange<Bound>]

    /// A multirange of ranges in any order.
    public init(_ ranges: [PostgresRange<Bound>]) {
        self.ranges = ranges
    }
}

extension PostgresMultirange: ExpressibleByArrayLiteral {
    /// A multirange of ranges in any order.
    public init(arrayLiteral elements: PostgresRange<Bound>...) {
        ranges = elements
    }
}

extension PostgresMultirange where Bound: Comparable {
    /// Whether a value is in one of the ranges.
    public func contains(_ value: Bound) -> Bool {
        ranges.contains { $0.contains(value) }
    }
}

extension PostgresMultirange: PostgresBinaryValue {
    /// Reads `{[1,3),[5,7)}`; nil for another text.
    public init?(_ description: String) {
        var scanner = TextScanner(description)
        guard scanner.skip("{") else { return nil }
        ranges = []
        while !scanner.skip("}") {
            if !ranges.isEmpty && !scanner.skip(",") { return nil }
            guard let range = PostgresRange<Bound>(&scanner) else { return nil }
            ranges.append(range)
        }
        guard scanner.isAtEnd else { return nil }
    }

    /// What the server writes.
    public var description: String {
        "{" + ranges.map(\.description).joined(separator: ",") + "}"
    }

    /// The multirange type over the bound's type.
    public static var postgresType: PostgresTypeOID { Bound.multirangeType }
    /// The multirange types whose bounds the bound's type reads.
    public static var readableTypes: [PostgresTypeOID] { Bound.readableMultirangeTypes }

    /// How many, and each with its length.
    ///
    /// - Throws: `PostgresValueError` when a bound cannot be bound.
    public func appendBinary(to bytes: inout [UInt8]) throws(PostgresValueError) {
        bytes.appendBigEndian(Int32(ranges.count))
        for range in ranges {
            var part: [UInt8] = []
            try range.appendBinary(to: &part)
            bytes.appendBigEndian(Int32(part.count))
            bytes += part
        }
    }

    /// How many, and each with its length.
    ///
    /// - Throws: `PostgresValueError`: `.malformed`, and what a bound throws.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        ranges = []
        for _ in 0..<max(0, try reader.integer(Int32.self)) {
            guard let part = try reader.sized() else { throw reader.malformed("a range that is NULL") }
            var inner = PostgresBinaryReader(
                part, oid: reader.oid.rangeElement ?? reader.oid, wanted: PostgresRange<Bound>.self)
            ranges.append(try PostgresRange(binary: &inner))
            try inner.end()
        }
    }
}
