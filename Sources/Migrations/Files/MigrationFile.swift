/// One migration: a parsed file of SQL.
public struct MigrationFile: Hashable, Sendable {
    /// One half of a migration: what runs on `up`, or what runs on `down`.
    public struct Section: Hashable, Sendable {
        /// The statements in order; never empty.
        public let statements: [SQLStatement]
        /// Whether all of them and the history row are one transaction; false after `transaction:false`.
        public let usesTransaction: Bool
    }

    /// Version and name, from the file's name.
    public let fileName: MigrationFileName
    /// The path as messages show it, e.g. `Migrations/20261121000000_create_clients.sql`.
    public let path: String
    /// The statements that apply it.
    public let up: Section
    /// The statements that revert it; nil when the section is missing or has no statement.
    public let down: Section?
    /// The file's lines, with line feeds removed, for showing the one that failed.
    public let lines: [String]

    /// The version, from the file's name.
    public var version: MigrationVersion { fileName.version }
    /// The name, from the file's name.
    public var name: String { fileName.name }

    /// The checksum of the `up` section: the part that an applied migration has been applied by. Mending a `down`
    /// afterwards is no drift.
    public var checksum: MigrationChecksum { MigrationChecksum(of: up.statements) }

    /// The checksum that was recorded when only the first `count` statements had been applied.
    public func checksum(ofFirst count: Int) -> MigrationChecksum {
        MigrationChecksum(of: up.statements.prefix(count))
    }
}
