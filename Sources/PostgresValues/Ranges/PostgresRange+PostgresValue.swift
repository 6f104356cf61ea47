extension PostgresRange: PostgresBinaryValue {
    /// The range type over the bound's type.
    public static var postgresType: PostgresTypeOID { Bound.rangeType }
    /// The range types whose bounds the bound's type reads.
    public static var readableTypes: [PostgresTypeOID] { Bound.readableRangeTypes }

    private enum Flag {
        static var empty: UInt8 { 0x01 }
        static var lowerIncluded: UInt8 { 0x02 }
        static var upperIncluded: UInt8 { 0x04 }
        static var lowerUnbounded: UInt8 { 0x08 }
        static var upperUnbounded: UInt8 { 0x10 }
    }

    /// One byte of flags, and each bound that is there with its length.
    ///
    /// - Throws: `PostgresValueError` when a bound cannot be bound, an infinite `Date`, say.
    public func appendBinary(to bytes: inout [UInt8]) throws(PostgresValueError) {
        if isEmpty {
            bytes.append(Flag.empty)
            return
        }
        var flags: UInt8 = 0
        switch lower {
        case .unbounded: flags |= Flag.lowerUnbounded
        case .inclusive: flags |= Flag.lowerIncluded
        case .exclusive: break
        }
        switch upper {
        case .unbounded: flags |= Flag.upperUnbounded
        case .inclusive: flags |= Flag.upperIncluded
        case .exclusive: break
        }
        bytes.append(flags)
        for bound in [lower.bound, upper.bound].compactMap({ $0 }) {
            do {
                let parameter = try bound.postgresParameter()
                guard parameter.format == .binary, let value = parameter.bytes else {
                    throw PostgresValueError(.conversion, "a \(Bound.self) has no binary form")
                }
                bytes.appendBigEndian(Int32(value.count))
                bytes += value
            } catch {
                throw error as? PostgresValueError
                    ?? PostgresValueError(.conversion, "cannot bind a \(Bound.self)", underlying: error)
            }
        }
    }

    /// One byte of flags, and each bound that is there with its length.
    ///
    /// - Throws: `PostgresValueError`: `.malformed`, and what a bound throws.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        let flags = try reader.integer(UInt8.self)
        if flags & Flag.empty != 0 {
            self = .empty
            return
        }
        var lower = Endpoint.unbounded
        var upper = Endpoint.unbounded
        if flags & Flag.lowerUnbounded == 0 {
            let bound = try Self.bound(&reader)
            lower = flags & Flag.lowerIncluded != 0 ? .inclusive(bound) : .exclusive(bound)
        }
        if flags & Flag.upperUnbounded == 0 {
            let bound = try Self.bound(&reader)
            upper = flags & Flag.upperIncluded != 0 ? .inclusive(bound) : .exclusive(bound)
        }
        self.init(lower: lower, upper: upper)
    }

    private static func bound(_ reader: inout PostgresBinaryReader) throws(PostgresValueError) -> Bound {
        let oid = reader.oid.rangeElement ?? Bound.postgresNull.oid
        let bytes = try reader.sized()
        do {
            return try Bound.decode(PostgresCell(oid: oid, format: .binary, bytes: bytes))
        } catch {
            throw error as? PostgresValueError
                ?? PostgresValueError(.conversion, "cannot read a bound of \(reader.oid)", underlying: error)
        }
    }
}
