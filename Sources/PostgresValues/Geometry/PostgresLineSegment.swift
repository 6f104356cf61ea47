/// A line between two points, as `lseg` has it: `[(0,0),(1,1)]`.
public struct PostgresLineSegment: PostgresBinaryValue {
    /// One end.
    public var start: PostgresPoint
    /// The other end.
    public var end: PostgresPoint

    /// A line between two points.
    public init(_ start: PostgresPoint, _ end: PostgresPoint) {
        self.start = start
        self.end = end
    }

    /// Reads `[(0,0),(1,1)]`; nil for another text.
    public init?(_ description: String) {
        var scanner = TextScanner(description)
        guard scanner.skip("["), let points = scanner.points(), points.count == 2, scanner.skip("]"),
            scanner.isAtEnd
        else { return nil }
        self.init(points[0], points[1])
    }

    /// `[(0,0),(1,1)]`
    public var description: String { "[\(start),\(end)]" }

    /// `lseg`
    public static var postgresType: PostgresTypeOID { .lseg }

    /// Two points.
    public func appendBinary(to bytes: inout [UInt8]) {
        start.appendBinary(to: &bytes)
        end.appendBinary(to: &bytes)
    }

    /// Two points.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        start = try PostgresPoint(binary: &reader)
        end = try PostgresPoint(binary: &reader)
    }
}
