extension PostgresTypeOID {
    /// What is known about a built-in type.
    struct Entry: Sendable {
        let oid: PostgresTypeOID
        let name: String
        let array: PostgresTypeOID?
        /// Whether this module reads the type's text only.
        let isText: Bool

        init(_ oid: PostgresTypeOID, _ name: String, array: PostgresTypeOID?, isText: Bool = false) {
            self.oid = oid
            self.name = name
            self.array = array
            self.isText = isText
        }
    }

    /// The built-in types that have a name here.
    ///
    /// `record` is read in binary too, yet asked for in text: its values may be of types made in the database, whose
    /// text every Swift type that fits reads, and whose binary form it may not.
    static let table: [Entry] = [
        .init(.bool, "bool", array: .boolArray),
        .init(.bytea, "bytea", array: .byteaArray),
        .init(.char, "\"char\"", array: .charArray),
        .init(.name, "name", array: .nameArray),
        .init(.int8, "int8", array: .int8Array),
        .init(.int2, "int2", array: .int2Array),
        .init(.int4, "int4", array: .int4Array),
        .init(.text, "text", array: .textArray),
        .init(.oid, "oid", array: .oidArray),
        .init(.json, "json", array: .jsonArray),
        .init(.xml, "xml", array: .xmlArray),
        .init(.point, "point", array: .pointArray),
        .init(.lseg, "lseg", array: .lsegArray),
        .init(.path, "path", array: .pathArray),
        .init(.box, "box", array: .boxArray),
        .init(.polygon, "polygon", array: .polygonArray),
        .init(.line, "line", array: .lineArray),
        .init(.cidr, "cidr", array: .cidrArray),
        .init(.float4, "float4", array: .float4Array),
        .init(.float8, "float8", array: .float8Array),
        .init(.unknown, "unknown", array: nil),
        .init(.circle, "circle", array: .circleArray),
        .init(.macaddr8, "macaddr8", array: .macaddr8Array),
        .init(.money, "money", array: .moneyArray, isText: true),
        .init(.macaddr, "macaddr", array: .macaddrArray),
        .init(.inet, "inet", array: .inetArray),
        .init(.bpchar, "char(n)", array: .bpcharArray),
        .init(.varchar, "varchar", array: .varcharArray),
        .init(.date, "date", array: .dateArray),
        .init(.time, "time", array: .timeArray),
        .init(.timestamp, "timestamp", array: .timestampArray),
        .init(.timestamptz, "timestamptz", array: .timestamptzArray),
        .init(.interval, "interval", array: .intervalArray),
        .init(.timetz, "timetz", array: .timetzArray),
        .init(.bit, "bit", array: .bitArray),
        .init(.varbit, "varbit", array: .varbitArray),
        .init(.numeric, "numeric", array: .numericArray),
        .init(.record, "record", array: .recordArray, isText: true),
        .init(.void, "void", array: nil, isText: true),
        .init(.uuid, "uuid", array: .uuidArray),
        .init(.pgLSN, "pg_lsn", array: .pgLSNArray),
        .init(.tsvector, "tsvector", array: .tsvectorArray, isText: true),
        .init(.tsquery, "tsquery", array: .tsqueryArray, isText: true),
        .init(.jsonb, "jsonb", array: .jsonbArray),
        .init(.int4range, "int4range", array: .int4rangeArray),
        .init(.numrange, "numrange", array: .numrangeArray),
        .init(.tsrange, "tsrange", array: .tsrangeArray),
        .init(.tstzrange, "tstzrange", array: .tstzrangeArray),
        .init(.daterange, "daterange", array: .daterangeArray),
        .init(.int8range, "int8range", array: .int8rangeArray),
        .init(.jsonpath, "jsonpath", array: .jsonpathArray, isText: true),
        .init(.int4multirange, "int4multirange", array: .int4multirangeArray),
        .init(.nummultirange, "nummultirange", array: .nummultirangeArray),
        .init(.tsmultirange, "tsmultirange", array: .tsmultirangeArray),
        .init(.tstzmultirange, "tstzmultirange", array: .tstzmultirangeArray),
        .init(.datemultirange, "datemultirange", array: .datemultirangeArray),
        .init(.int8multirange, "int8multirange", array: .int8multirangeArray),
    ]

    static let entries = Dictionary(uniqueKeysWithValues: table.map { ($0.oid, $0) })

    static let elementOfArray = Dictionary(
        uniqueKeysWithValues: table.compactMap { entry in entry.array.map { ($0, entry.oid) } })

    static let binaryDecodable = Set(
        table.filter { !$0.isText }.flatMap { entry in [entry.oid, entry.array].compactMap { $0 } })
}
