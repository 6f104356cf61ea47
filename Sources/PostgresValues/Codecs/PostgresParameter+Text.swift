internal import FoundationEssentials

extension PostgresParameter {
    /// The value in the text form, which the server reads whatever the type, nil for NULL: for COPY as text, for rows
    /// and arrays of values that have no binary form.
    ///
    /// - Throws: `PostgresValueError(.conversion)` for a binary value whose type this module does not read.
    public func textBytes() throws(PostgresValueError) -> [UInt8]? {
        guard let bytes else { return nil }
        if format == .text { return bytes }
        do {
            return try withCell { cell in
                if cell.oid.arrayElement != nil {
                    return try ArrayModel(cell, wanted: [String].self).inText().text()
                }
                return Array(try Self.text(of: cell).utf8)
            }
        } catch {
            throw error as? PostgresValueError
                ?? PostgresValueError(.conversion, "no text", underlying: error)
        }
    }

    private static func text(of cell: PostgresCell) throws -> String {
        switch cell.oid {
        case .bool: try Bool.decode(cell) ? "t" : "f"
        case .int2, .int4, .int8, .oid: String(try Int64.decode(cell))
        case .float4: postgresText(of: try Float.decode(cell))
        case .float8: postgresText(of: try Double.decode(cell))
        case .bytea: "\\x" + hexadecimal(try [UInt8].decode(cell))
        case .uuid: try UUID.decode(cell).uuidString.lowercased()
        case .jsonb: try String.decode(cell)
        case let oid where oid.isTextInBinary: try String.decode(cell)
        case let oid:
            if let type = textual[oid] {
                try type.decode(cell).description
            } else {
                throw PostgresValueError(
                    .conversion, "the text form of a binary \(oid) is not known; bind it as text")
            }
        }
    }

    /// The Swift types whose description is the text of these types.
    static let textual: [PostgresTypeOID: any PostgresTextValue.Type] = [
        .numeric: PostgresNumeric.self, .timestamptz: Timestamp.self, .timestamp: LocalDateTime.self,
        .date: LocalDate.self, .time: LocalTime.self, .timetz: OffsetTime.self, .interval: Interval.self,
        .inet: Inet.self, .cidr: Inet.self, .macaddr: MACAddress.self, .macaddr8: MACAddress.self,
        .bit: BitString.self, .varbit: BitString.self, .pgLSN: LogSequenceNumber.self,
        .point: PostgresPoint.self, .line: PostgresLine.self, .lseg: PostgresLineSegment.self,
        .box: PostgresBox.self, .path: PostgresPath.self, .polygon: PostgresPolygon.self,
        .circle: PostgresCircle.self,
        .int4range: PostgresRange<Int32>.self, .int8range: PostgresRange<Int64>.self,
        .numrange: PostgresRange<PostgresNumeric>.self, .tsrange: PostgresRange<LocalDateTime>.self,
        .tstzrange: PostgresRange<Timestamp>.self, .daterange: PostgresRange<LocalDate>.self,
        .int4multirange: PostgresMultirange<Int32>.self, .int8multirange: PostgresMultirange<Int64>.self,
        .nummultirange: PostgresMultirange<PostgresNumeric>.self,
        .tsmultirange: PostgresMultirange<LocalDateTime>.self,
        .tstzmultirange: PostgresMultirange<Timestamp>.self,
        .datemultirange: PostgresMultirange<LocalDate>.self,
    ]

    /// Looks at the value as if it came from the server.
    func withCell<T, Failure: Error>(_ body: (PostgresCell) throws(Failure) -> T) throws(Failure) -> T {
        guard let bytes else { return try body(PostgresCell(oid: oid, format: format, bytes: nil)) }
        return try bytes.withUnsafeBytesTyped { buffer throws(Failure) in
            try body(PostgresCell(oid: oid, format: format, bytes: buffer))
        }
    }
}

/// Two lower-case digits for each byte.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}
