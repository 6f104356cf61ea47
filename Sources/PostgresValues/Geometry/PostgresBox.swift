/// A rectangle, as `box` has it: `(1,1),(0,0)`.
public struct PostgresBox: PostgresBinaryValue {
    /// The corner at the upper right.
    public var high: PostgresPoint
    /// The corner at the lower left.
    public var low: PostgresPoint

    /// A rectangle by any two opposite corners, which are sorted as the server does.
    public init(_ corner: PostgresPoint, _ opposite: PostgresPoint) {
        high = PostgresPoint(x: Self.greater(corner.x, opposite.x), y: Self.greater(corner.y, opposite.y))
        low = PostgresPoint(x: Self.lesser(corner.x, opposite.x), y: Self.lesser(corner.y, opposite.y))
    }

    // By the server's order, in which NaN is greater than every number; of equal ones the first is the higher.
    private static func greater(_ first: Double, _ second: Double) -> Double {
        isLess(first, second) ? second : first
    }
    private static func lesser(_ first: Double, _ second: Double) -> Double {
        isLess(first, second) ? first : second
    }
    private static func isLess(_ first: Double, _ second: Double) -> Bool {
        second.isNaN ? !first.isNaN : first < second
    }

    /// Reads `(1,1),(0,0)`; nil for another text.
    public init?(_ description: String) {
        var scanner = TextScanner(description)
        guard let points = scanner.points(), points.count == 2, scanner.isAtEnd
        else { return nil }
        self.init(points[0], points[1])
    }

    /// `(1,1),(0,0)`
    public var description: String { "\(high),\(low)" }

    /// `box`
    public static var postgresType: PostgresTypeOID { .box }

    /// Two points.
    public func appendBinary(to bytes: inout [UInt8]) {
        high.appendBinary(to: &bytes)
        low.appendBinary(to: &bytes)
    }

    /// Two points.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        high = try PostgresPoint(binary: &reader)
        low = try PostgresPoint(binary: &reader)
    }
}
