/// An infinite line Ax + By + C = 0, as `line` has it: `{1,-1,0}`.
public struct PostgresLine: PostgresBinaryValue {
    /// The factor of x.
    public var a: Double
    /// The factor of y. The server refuses a line without a and b.
    public var b: Double
    /// The constant.
    public var c: Double

    /// A line by its equation.
    public init(a: Double, b: Double, c: Double) {
        self.a = a
        self.b = b
        self.c = c
    }

    /// Reads `{1,-1,0}`; nil for another text.
    public init?(_ description: String) {
        var scanner = TextScanner(description)
        guard scanner.skip("{"), let a = scanner.double(), scanner.skip(","), let b = scanner.double(),
            scanner.skip(","), let c = scanner.double(), scanner.skip("}"), scanner.isAtEnd
        else { return nil }
        self.init(a: a, b: b, c: c)
    }

    /// `{1,-1,0}`
    public var description: String {
        "{\(postgresText(of: a)),\(postgresText(of: b)),\(postgresText(of: c))}"
    }

    /// `line`
    public static var postgresType: PostgresTypeOID { .line }

    /// Three floats.
    public func appendBinary(to bytes: inout [UInt8]) {
        for number in [a, b, c] {
            bytes.appendBigEndian(number.bitPattern)
        }
    }

    /// Three floats.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        a = try reader.double()
        b = try reader.double()
        c = try reader.double()
    }
}
