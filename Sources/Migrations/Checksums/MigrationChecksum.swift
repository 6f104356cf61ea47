/// What a migration's SQL says, in 64 hexadecimal digits: `1:9f86d0…`.
///
/// SHA-256 over the normalised statements (`SQLStatement.normalized`), each ended by `;` and a line feed. Line
/// ends, a byte order mark, indentation and comments do not change it, so relicensing or formatting a file is no
/// drift; the text of strings and function bodies does. The number before the colon is the version of this
/// recipe: a change of the recipe must not look like a change of the files.
public struct MigrationChecksum: Hashable, Sendable, CustomStringConvertible {
    /// As stored in the history table.
    public let description: String

    /// A checksum read back from the history table.
    public init(stored: String) {
        description = stored
    }

    /// The checksum of `statements` in order.
    ///
    /// - Complexity: O(n).
    public init(of statements: some Sequence<SQLStatement>) {
        let digest = SHA256.digest(of: statements.lazy.flatMap { "\($0.normalized);\n".utf8 })
        description =
            "1:" + digest.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    }
}
