// Computed where code that is inlined into other modules compares with them: a stored one is a call there.

extension PostgresTypeOID {
    /// Zero: as the type of a parameter, "let the server infer it".
    public static let inferred = Self(rawValue: 0)
    /// `bool`
    @inlinable public static var bool: Self { Self(rawValue: 16) }
    /// `bytea`
    public static let bytea = Self(rawValue: 17)
    /// `"char"`, one byte, used by the system catalogs
    public static let char = Self(rawValue: 18)
    /// `name`, the 63-byte identifier type of the system catalogs
    public static let name = Self(rawValue: 19)
    /// `int8`, alias `bigint`
    @inlinable public static var int8: Self { Self(rawValue: 20) }
    /// `int2`, alias `smallint`
    @inlinable public static var int2: Self { Self(rawValue: 21) }
    /// `int4`, alias `integer`
    @inlinable public static var int4: Self { Self(rawValue: 23) }
    /// `text`
    @inlinable public static var text: Self { Self(rawValue: 25) }
    /// `oid`
    public static let oid = Self(rawValue: 26)
    /// `json`
    public static let json = Self(rawValue: 114)
    /// `xml`
    public static let xml = Self(rawValue: 142)
    /// `point`
    public static let point = Self(rawValue: 600)
    /// `lseg`, a line segment
    public static let lseg = Self(rawValue: 601)
    /// `path`
    public static let path = Self(rawValue: 602)
    /// `box`
    public static let box = Self(rawValue: 603)
    /// `polygon`
    public static let polygon = Self(rawValue: 604)
    /// `line`, infinite
    public static let line = Self(rawValue: 628)
    /// `cidr`, a network
    public static let cidr = Self(rawValue: 650)
    /// `float4`, alias `real`
    @inlinable public static var float4: Self { Self(rawValue: 700) }
    /// `float8`, alias `double precision`
    @inlinable public static var float8: Self { Self(rawValue: 701) }
    /// `unknown`, the type of an untyped literal
    public static let unknown = Self(rawValue: 705)
    /// `circle`
    public static let circle = Self(rawValue: 718)
    /// `macaddr8`, a hardware address of 8 bytes
    public static let macaddr8 = Self(rawValue: 774)
    /// `money`
    public static let money = Self(rawValue: 790)
    /// `macaddr`, a hardware address of 6 bytes
    public static let macaddr = Self(rawValue: 829)
    /// `inet`, a host and perhaps its network
    public static let inet = Self(rawValue: 869)
    /// `bpchar`, alias `char(n)`
    public static let bpchar = Self(rawValue: 1042)
    /// `varchar`
    public static let varchar = Self(rawValue: 1043)
    /// `date`
    public static let date = Self(rawValue: 1082)
    /// `time` without time zone
    public static let time = Self(rawValue: 1083)
    /// `timestamp` without time zone
    public static let timestamp = Self(rawValue: 1114)
    /// `timestamptz`, timestamp with time zone
    public static let timestamptz = Self(rawValue: 1184)
    /// `interval`
    public static let interval = Self(rawValue: 1186)
    /// `timetz`, time with time zone
    public static let timetz = Self(rawValue: 1266)
    /// `bit(n)`
    public static let bit = Self(rawValue: 1560)
    /// `varbit`, alias `bit varying`
    public static let varbit = Self(rawValue: 1562)
    /// `numeric`, alias `decimal`
    public static let numeric = Self(rawValue: 1700)
    /// `record`, a row of no named type
    public static let record = Self(rawValue: 2249)
    /// `void`, the result of functions such as `pg_sleep`
    public static let void = Self(rawValue: 2278)
    /// `uuid`
    public static let uuid = Self(rawValue: 2950)
    /// `pg_lsn`, a place in the write-ahead log
    public static let pgLSN = Self(rawValue: 3220)
    /// `tsvector`, a document for text search
    public static let tsvector = Self(rawValue: 3614)
    /// `tsquery`, a text search
    public static let tsquery = Self(rawValue: 3615)
    /// `jsonb`
    public static let jsonb = Self(rawValue: 3802)
    /// `int4range`
    public static let int4range = Self(rawValue: 3904)
    /// `numrange`
    public static let numrange = Self(rawValue: 3906)
    /// `tsrange`, a range of `timestamp`
    public static let tsrange = Self(rawValue: 3908)
    /// `tstzrange`, a range of `timestamptz`
    public static let tstzrange = Self(rawValue: 3910)
    /// `daterange`
    public static let daterange = Self(rawValue: 3912)
    /// `int8range`
    public static let int8range = Self(rawValue: 3926)
    /// `jsonpath`
    public static let jsonpath = Self(rawValue: 4072)
    /// `int4multirange`
    public static let int4multirange = Self(rawValue: 4451)
    /// `nummultirange`
    public static let nummultirange = Self(rawValue: 4532)
    /// `tsmultirange`
    public static let tsmultirange = Self(rawValue: 4533)
    /// `tstzmultirange`
    public static let tstzmultirange = Self(rawValue: 4534)
    /// `datemultirange`
    public static let datemultirange = Self(rawValue: 4535)
    /// `int8multirange`
    public static let int8multirange = Self(rawValue: 4536)
}
