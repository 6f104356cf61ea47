/// A message sent by NOTIFY or `pg_notify`.
public struct PostgresNotification: Hashable, Sendable {
    /// The channel that it was sent to.
    public let channel: String
    /// What was sent; empty when nothing was.
    public let payload: String
    /// The server's process that sent it, as in `pg_stat_activity.pid`.
    public let processID: Int32

    /// Makes a notification, for tests of code that handles them.
    public init(channel: String, payload: String = "", processID: Int32 = 0) {
        self.channel = channel
        self.payload = payload
        self.processID = processID
    }
}
