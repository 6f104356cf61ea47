/// How a cluster chooses among its servers.
public struct PostgresClusterOptions: Sendable {
    /// How far behind the primary a replica may be to be read from. Default 5 s.
    public var maximumLag: Duration
    /// How long a greenlet that has written reads from the primary, so that it sees what it wrote. Default 5 s; no replica that
    /// is used is further behind.
    public var pinning: Duration
    /// How old what is known of a replica may be. It and the primary are asked when it is used, never while nobody reads, and one
    /// that has not answered after five times as long is down. A read waits for an answer only when no replica has been found
    /// current within `maximumLag`, and then not for one that was down or behind. Default 1 s.
    public var checkInterval: Duration

    /// Creates options.
    public init(
        maximumLag: Duration = .seconds(5), pinning: Duration? = nil, checkInterval: Duration = .seconds(1)
    ) {
        self.maximumLag = maximumLag
        self.pinning = pinning ?? maximumLag
        self.checkInterval = checkInterval
    }
}
