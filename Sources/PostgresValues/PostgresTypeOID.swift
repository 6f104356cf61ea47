/// The number by which PostgreSQL knows a data type, as found in `pg_type.oid`.
///
/// Numbers of built-in types are fixed for ever and named here; types made by `CREATE TYPE`, `CREATE DOMAIN`
/// or an extension have numbers from 16384 that differ between databases.
public struct PostgresTypeOID: RawRepresentable, Hashable, Sendable {
    /// The number itself.
    public let rawValue: UInt32

    /// Makes an OID of any number, known here or not.
    @inlinable
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Whether the type was made in the database (`CREATE TYPE`, an extension) rather than built in.
    public var isUserDefined: Bool {
        rawValue >= 16384
    }

    /// Whether nothing is known about the type: made in the database, or not told, as that of an attribute in the text of
    /// a row.
    var isOpaque: Bool {
        isUserDefined || self == .unknown
    }

    /// What a text of this type is taken to be by a Swift type: itself, or when nothing is known about it (an attribute of a
    /// row, an element of an array of a domain), what the Swift type is bound as.
    func assumed(for wanted: any PostgresDecodable.Type) -> PostgresTypeOID {
        guard isOpaque, let encodable = wanted as? any PostgresEncodable.Type else { return self }
        let bound = encodable.postgresNull.oid
        return bound == .inferred ? self : bound
    }

    /// The type of the elements when this is one of the array types named here, else nil.
    public var arrayElement: PostgresTypeOID? {
        Self.elementOfArray[self]
    }

    /// The type of arrays of this type when it is one of the types named here, else nil.
    public var array: PostgresTypeOID? {
        Self.entries[self]?.array
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
}

extension PostgresTypeOID: CustomStringConvertible {
    /// The type's SQL name and its number, `numeric (OID 1700)`, or the number alone when it has no name here.
    public var description: String {
        sqlName.map { "\($0) (OID \(rawValue))" } ?? "OID \(rawValue)"
    }

    /// The type's SQL name, nil when it has none here.
    var sqlName: String? {
        Self.entries[self]?.name ?? arrayElement.flatMap { Self.entries[$0] }.map { "\($0.name)[]" }
    }
}
