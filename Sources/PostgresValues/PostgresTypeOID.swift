/// The number by which PostgreSQL knows a data type, as found in `pg_type.oid`.
///
/// Numbers of built-in types are fixed for ever and named here; types made by `CREATE TYPE`, `CREATE DOMAIN`
/// or an extension have numbers from 16384 that differ between databases.
public struct PostgresTypeOID: RawRepresentable, Hashable, Sendable {
    /// The number itself.
    public let rawValue: UInt32

    /// Makes an OID of any number, known here or not.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Zero: as the type of a parameter, "let the server infer it".
    public static let inferred = Self(rawValue: 0)
    /// `bool`
    public static let bool = Self(rawValue: 16)
    /// `bytea`
    public static let bytea = Self(rawValue: 17)
    /// `"char"`, one byte, used by the system catalogs
    public static let char = Self(rawValue: 18)
    /// `name`, the 63-byte identifier type of the system catalogs
    public static let name = Self(rawValue: 19)
    /// `int8`, alias `bigint`
    public static let int8 = Self(rawValue: 20)
    /// `int2`, alias `smallint`
    public static let int2 = Self(rawValue: 21)
    /// `int4`, alias `integer`
    public static let int4 = Self(rawValue: 23)
    /// `text`
    public static let text = Self(rawValue: 25)
    /// `oid`
    public static let oid = Self(rawValue: 26)
    /// `json`
    public static let json = Self(rawValue: 114)
    /// `xml`
    public static let xml = Self(rawValue: 142)
    /// `float4`, alias `real`
    public static let float4 = Self(rawValue: 700)
    /// `float8`, alias `double precision`
    public static let float8 = Self(rawValue: 701)
    /// `unknown`, the type of an untyped literal
    public static let unknown = Self(rawValue: 705)
    /// `bpchar`, alias `char(n)`
    public static let bpchar = Self(rawValue: 1042)
    /// `varchar`
    public static let varchar = Self(rawValue: 1043)
    /// `date`
    public static let date = Self(rawValue: 1082)
    /// `time`
    public static let time = Self(rawValue: 1083)
    /// `timestamp` without time zone
    public static let timestamp = Self(rawValue: 1114)
    /// `timestamptz`, timestamp with time zone
    public static let timestamptz = Self(rawValue: 1184)
    /// `interval`
    public static let interval = Self(rawValue: 1186)
    /// `numeric`, alias `decimal`
    public static let numeric = Self(rawValue: 1700)
    /// `void`, the result of functions such as `pg_sleep`
    public static let void = Self(rawValue: 2278)
    /// `uuid`
    public static let uuid = Self(rawValue: 2950)
    /// `jsonb`
    public static let jsonb = Self(rawValue: 3802)

    /// `bool[]`
    public static let boolArray = Self(rawValue: 1000)
    /// `bytea[]`
    public static let byteaArray = Self(rawValue: 1001)
    /// `name[]`
    public static let nameArray = Self(rawValue: 1003)
    /// `int2[]`
    public static let int2Array = Self(rawValue: 1005)
    /// `int4[]`
    public static let int4Array = Self(rawValue: 1007)
    /// `text[]`
    public static let textArray = Self(rawValue: 1009)
    /// `char(n)[]`
    public static let bpcharArray = Self(rawValue: 1014)
    /// `varchar[]`
    public static let varcharArray = Self(rawValue: 1015)
    /// `int8[]`
    public static let int8Array = Self(rawValue: 1016)
    /// `float4[]`
    public static let float4Array = Self(rawValue: 1021)
    /// `float8[]`
    public static let float8Array = Self(rawValue: 1022)
    /// `oid[]`
    public static let oidArray = Self(rawValue: 1028)
    /// `timestamptz[]`
    public static let timestamptzArray = Self(rawValue: 1185)
    /// `uuid[]`
    public static let uuidArray = Self(rawValue: 2951)

    /// Whether the type was made in the database (`CREATE TYPE`, an extension) rather than built in.
    public var isUserDefined: Bool {
        rawValue >= 16384
    }

    /// The type of the elements when this is one of the array types named here, else nil.
    public var arrayElement: PostgresTypeOID? {
        Self.elementOfArray[self]
    }

    /// Whether this module reads the type's binary form; a result all of whose columns say yes may be
    /// asked for in binary.
    public var hasBinaryDecoder: Bool {
        Self.binaryDecodable.contains(self)
    }

    /// Whether the binary form is the text itself.
    var isTextInBinary: Bool {
        switch self {
        case .text, .varchar, .bpchar, .name, .char, .json, .xml, .unknown: true
        default: false
        }
    }

    private static let elementOfArray: [PostgresTypeOID: PostgresTypeOID] = [
        .boolArray: .bool, .byteaArray: .bytea, .nameArray: .name, .int2Array: .int2, .int4Array: .int4,
        .textArray: .text, .bpcharArray: .bpchar, .varcharArray: .varchar, .int8Array: .int8,
        .float4Array: .float4, .float8Array: .float8, .oidArray: .oid, .timestamptzArray: .timestamptz,
        .uuidArray: .uuid,
    ]

    private static let binaryDecodable: Set<PostgresTypeOID> = Set(elementOfArray.keys)
        .union(elementOfArray.values)
        .union([.char, .json, .jsonb, .xml, .unknown])

    private static let names: [PostgresTypeOID: String] = [
        .bool: "bool", .bytea: "bytea", .char: "\"char\"", .name: "name", .int8: "int8", .int2: "int2",
        .int4: "int4", .text: "text", .oid: "oid", .json: "json", .xml: "xml", .float4: "float4",
        .float8: "float8", .unknown: "unknown", .bpchar: "char(n)", .varchar: "varchar", .date: "date",
        .time: "time", .timestamp: "timestamp", .timestamptz: "timestamptz", .interval: "interval",
        .numeric: "numeric", .void: "void", .uuid: "uuid", .jsonb: "jsonb",
    ]
}

extension PostgresTypeOID: CustomStringConvertible {
    /// The type's SQL name and its number, `numeric (OID 1700)`, or the number alone when it has no name here.
    public var description: String {
        if let name = Self.names[self] {
            return "\(name) (OID \(rawValue))"
        }
        if let element = arrayElement, let name = Self.names[element] {
            return "\(name)[] (OID \(rawValue))"
        }
        return "OID \(rawValue)"
    }
}
