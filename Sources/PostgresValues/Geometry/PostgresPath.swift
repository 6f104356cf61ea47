/// A line through points, as `path` has it: open, `[(0,0),(1,1)]`, or closed, `((0,0),(1,1))`.
public struct PostgresPath: PostgresBinaryValue {
    /// The points in order; the server wants one at least.
    public var points: [PostgresPoint]
    /// Whether the last is joined to the first.
    public var isClosed: Bool

    /// A line through points.
    public init(_ points: [PostgresPoint], isClosed: Bool = false) {
        self.points = points
        self.isClosed = isClosed
    }

    /// Reads `[(0,0),(1,1)]` and `((0,0),(1,1))`; nil for another text.
    public init?(_ description: String) {
        var scanner = TextScanner(description)
        let isClosed = scanner.skip("(")
        guard isClosed || scanner.skip("["), let points = scanner.points(),
            scanner.skip(isClosed ? ")" : "]"),
            scanner.isAtEnd
        else { return nil }
        self.init(points, isClosed: isClosed)
    }

    /// `[(0,0),(1,1)]`, closed `((0,0),(1,1))`
    public var description: String {
        let list = points.map(\.description).joined(separator: ",")
        return isClosed ? "(\(list))" : "[\(list)]"
    }

    /// `path`
    public static var postgresType: PostgresTypeOID { .path }

    /// Whether it is closed, one byte, how many points, and the points.
    public func appendBinary(to bytes: inout [UInt8]) {
        bytes.append(isClosed ? 1 : 0)
        PostgresPolygon(points).appendBinary(to: &bytes)
    }

    /// Whether it is closed, one byte, how many points, and the points.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        isClosed = try reader.integer(UInt8.self) != 0
        points = try PostgresPolygon(binary: &reader).points
    }
}
