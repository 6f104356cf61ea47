/// An area within points, as `polygon` has it: `((0,0),(1,1),(1,0))`.
public struct PostgresPolygon: PostgresBinaryValue {
    /// The corners in order; the server wants one at least.
    public var points: [PostgresPoint]

    /// An area within points.
    public init(_ points: [PostgresPoint]) {
        self.points = points
    }

    /// Reads `((0,0),(1,1),(1,0))`; nil for another text.
    public init?(_ description: String) {
        var scanner = TextScanner(description)
        guard scanner.skip("("), let points = scanner.points(), scanner.skip(")"), scanner.isAtEnd else {
            return nil
        }
        self.init(points)
    }

    /// `((0,0),(1,1),(1,0))`
    public var description: String { "(" + points.map(\.description).joined(separator: ",") + ")" }

    /// `polygon`
    public static var postgresType: PostgresTypeOID { .polygon }

    /// How many points, and the points.
    public func appendBinary(to bytes: inout [UInt8]) {
        bytes.appendBigEndian(Int32(points.count))
        for point in points {
            point.appendBinary(to: &bytes)
        }
    }

    /// How many points, and the points.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        points = []
        for _ in 0..<max(0, try reader.integer(Int32.self)) {
            points.append(try PostgresPoint(binary: &reader))
        }
    }
}
