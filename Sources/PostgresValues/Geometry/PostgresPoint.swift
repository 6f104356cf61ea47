/// A point in the plane, as `point` has it: `(1.5,2)`.
public struct PostgresPoint: PostgresBinaryValue {
    /// To the right.
    public var x: Double
    /// Upwards.
    public var y: Double

    /// A point by its coordinates.
    public init(x: Double, y: Double) {
        self.x = x
        self.y = y
    }

    /// Reads `(1.5,2)`; nil for another text.
    public init?(_ description: String) {
        var scanner = TextScanner(description)
        guard let point = scanner.point(), scanner.isAtEnd else { return nil }
        self = point
    }

    /// `(1.5,2)`
    public var description: String { "(\(postgresText(of: x)),\(postgresText(of: y)))" }

    /// `point`
    public static var postgresType: PostgresTypeOID { .point }

    /// Two floats.
    public func appendBinary(to bytes: inout [UInt8]) {
        bytes.appendBigEndian(x.bitPattern)
        bytes.appendBigEndian(y.bitPattern)
    }

    /// Two floats.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        x = try reader.double()
        y = try reader.double()
    }
}

extension TextScanner {
    /// `(1.5,2)`
    mutating func point() -> PostgresPoint? {
        guard skip("("), let x = double(), skip(","), let y = double(), skip(")") else { return nil }
        return PostgresPoint(x: x, y: y)
    }

    /// `(1.5,2),(3,4)`
    mutating func points() -> [PostgresPoint]? {
        var points: [PostgresPoint] = []
        repeat {
            guard let point = point() else { return nil }
            points.append(point)
        } while skip(",")
        return points
    }
}
