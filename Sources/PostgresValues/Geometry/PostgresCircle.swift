/// A circle, as `circle` has it: `<(0,0),1>`.
public struct PostgresCircle: PostgresBinaryValue {
    /// The middle.
    public var center: PostgresPoint
    /// The radius. The server refuses a negative one.
    public var radius: Double

    /// A circle by its middle and radius.
    public init(center: PostgresPoint, radius: Double) {
        self.center = center
        self.radius = radius
    }

    /// Reads `<(0,0),1>`; nil for another text.
    public init?(_ description: String) {
        var scanner = TextScanner(description)
        guard scanner.skip("<"), let center = scanner.point(), scanner.skip(","),
            let radius = scanner.double(),
            scanner.skip(">"), scanner.isAtEnd
        else { return nil }
        self.init(center: center, radius: radius)
    }

    /// `<(0,0),1>`
    public var description: String { "<\(center),\(postgresText(of: radius))>" }

    /// `circle`
    public static var postgresType: PostgresTypeOID { .circle }

    /// A point and a float.
    public func appendBinary(to bytes: inout [UInt8]) {
        center.appendBinary(to: &bytes)
        bytes.appendBigEndian(radius.bitPattern)
    }

    /// A point and a float.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        center = try PostgresPoint(binary: &reader)
        radius = try reader.double()
    }
}
