public import ConnectionPools

/// A pool's numbers at one moment; totals count from its creation.
public struct PostgresPoolStatistics: Sendable {
    /// The pool's name.
    public var label = ""
    /// Sizes now.
    public var counts = PoolCounts()
    /// How long the borrower at the head of the queue has waited; nil when nobody waits.
    public var longestWait: Duration?
    /// Connections handed out.
    public var acquired = 0
    /// Borrowers that had to wait.
    public var waited = 0
    /// Borrowers that gave up because their time was over.
    public var acquireTimeouts = 0
    /// Connections made.
    public var connectsSucceeded = 0
    /// Connects that failed.
    public var connectsFailed = 0
    /// Connections that broke, idle or in use.
    public var connectionsLost = 0
    /// Connections that came back inside a transaction.
    public var rolledBackOnReturn = 0
    /// Why the last connect failed; nil since one succeeded.
    public var lastConnectError: PostgresError?

    /// Creates zeros.
    public init() {}
}
