extension PostgresTypeOID {
    /// `bool[]`
    public static let boolArray = Self(rawValue: 1000)
    /// `bytea[]`
    public static let byteaArray = Self(rawValue: 1001)
    /// `"char"[]`
    public static let charArray = Self(rawValue: 1002)
    /// `name[]`
    public static let nameArray = Self(rawValue: 1003)
    /// `int8[]`
    public static let int8Array = Self(rawValue: 1016)
    /// `int2[]`
    public static let int2Array = Self(rawValue: 1005)
    /// `int4[]`
    public static let int4Array = Self(rawValue: 1007)
    /// `text[]`
    public static let textArray = Self(rawValue: 1009)
    /// `oid[]`
    public static let oidArray = Self(rawValue: 1028)
    /// `json[]`
    public static let jsonArray = Self(rawValue: 199)
    /// `xml[]`
    public static let xmlArray = Self(rawValue: 143)
    /// `point[]`
    public static let pointArray = Self(rawValue: 1017)
    /// `lseg[]`
    public static let lsegArray = Self(rawValue: 1018)
    /// `path[]`
    public static let pathArray = Self(rawValue: 1019)
    /// `box[]`
    public static let boxArray = Self(rawValue: 1020)
    /// `polygon[]`
    public static let polygonArray = Self(rawValue: 1027)
    /// `line[]`
    public static let lineArray = Self(rawValue: 629)
    /// `cidr[]`
    public static let cidrArray = Self(rawValue: 651)
    /// `float4[]`
    public static let float4Array = Self(rawValue: 1021)
    /// `float8[]`
    public static let float8Array = Self(rawValue: 1022)
    /// `circle[]`
    public static let circleArray = Self(rawValue: 719)
    /// `macaddr8[]`
    public static let macaddr8Array = Self(rawValue: 775)
    /// `money[]`
    public static let moneyArray = Self(rawValue: 791)
    /// `macaddr[]`
    public static let macaddrArray = Self(rawValue: 1040)
    /// `inet[]`
    public static let inetArray = Self(rawValue: 1041)
    /// `char(n)[]`
    public static let bpcharArray = Self(rawValue: 1014)
    /// `varchar[]`
    public static let varcharArray = Self(rawValue: 1015)
    /// `date[]`
    public static let dateArray = Self(rawValue: 1182)
    /// `time[]`
    public static let timeArray = Self(rawValue: 1183)
    /// `timestamp[]`
    public static let timestampArray = Self(rawValue: 1115)
    /// `timestamptz[]`
    public static let timestamptzArray = Self(rawValue: 1185)
    /// `interval[]`
    public static let intervalArray = Self(rawValue: 1187)
    /// `timetz[]`
    public static let timetzArray = Self(rawValue: 1270)
    /// `bit[]`
    public static let bitArray = Self(rawValue: 1561)
    /// `varbit[]`
    public static let varbitArray = Self(rawValue: 1563)
    /// `numeric[]`
    public static let numericArray = Self(rawValue: 1231)
    /// `record[]`
    public static let recordArray = Self(rawValue: 2287)
    /// `uuid[]`
    public static let uuidArray = Self(rawValue: 2951)
    /// `pg_lsn[]`
    public static let pgLSNArray = Self(rawValue: 3221)
    /// `tsvector[]`
    public static let tsvectorArray = Self(rawValue: 3643)
    /// `tsquery[]`
    public static let tsqueryArray = Self(rawValue: 3645)
    /// `jsonb[]`
    public static let jsonbArray = Self(rawValue: 3807)
    /// `int4range[]`
    public static let int4rangeArray = Self(rawValue: 3905)
    /// `numrange[]`
    public static let numrangeArray = Self(rawValue: 3907)
    /// `tsrange[]`
    public static let tsrangeArray = Self(rawValue: 3909)
    /// `tstzrange[]`
    public static let tstzrangeArray = Self(rawValue: 3911)
    /// `daterange[]`
    public static let daterangeArray = Self(rawValue: 3913)
    /// `int8range[]`
    public static let int8rangeArray = Self(rawValue: 3927)
    /// `jsonpath[]`
    public static let jsonpathArray = Self(rawValue: 4073)
    /// `int4multirange[]`
    public static let int4multirangeArray = Self(rawValue: 6150)
    /// `nummultirange[]`
    public static let nummultirangeArray = Self(rawValue: 6151)
    /// `tsmultirange[]`
    public static let tsmultirangeArray = Self(rawValue: 6152)
    /// `tstzmultirange[]`
    public static let tstzmultirangeArray = Self(rawValue: 6153)
    /// `datemultirange[]`
    public static let datemultirangeArray = Self(rawValue: 6155)
    /// `int8multirange[]`
    public static let int8multirangeArray = Self(rawValue: 6157)
}
