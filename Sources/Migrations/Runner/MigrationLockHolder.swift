/// The session that holds the migration lock, as `pg_stat_activity` shows it.
public struct MigrationLockHolder: Hashable, Sendable, CustomStringConvertible {
    /// The server process.
    public let pid: Int32
    /// Its `application_name`; empty when it gave none or belongs to another user.
    public let application: String
    /// Its user; empty when it is hidden.
    public let user: String
    /// When the session began, in UTC: `2026-11-21T09:12:00Z`; empty when it is hidden.
    public let since: String

    /// `pid 4711 (migrate, user app, since 2026-11-21T09:12:00Z)`.
    public var description: String {
        var parts: [String] = []
        if !application.isEmpty { parts.append(application) }
        if !user.isEmpty { parts.append("user \(user)") }
        if !since.isEmpty { parts.append("since \(since)") }
        return "pid \(pid)" + (parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))")
    }
}
