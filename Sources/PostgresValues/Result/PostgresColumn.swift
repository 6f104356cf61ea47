/// One column of a result.
public struct PostgresColumn: Hashable, Sendable {
    /// Its name, which the query may have given by `AS`; not necessarily unique.
    public let name: String
    /// The type of its values.
    public let oid: PostgresTypeOID
    /// The form of its values.
    public let format: PostgresFormat
    /// Its position, from 0.
    public let index: Int

    /// Describes a column.
    public init(name: String, oid: PostgresTypeOID, format: PostgresFormat, index: Int) {
        self.name = name
        self.oid = oid
        self.format = format
        self.index = index
    }
}
