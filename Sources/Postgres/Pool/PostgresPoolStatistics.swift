public import ConnectionPools

/// A pool's numbers at one moment; totals count from its creation.
public struct PostgresPoolStatistics: Sendable {
    /// The pool's name.
    public var label = ""
    /// Sizes now.
    public var counts = PoolCounts()
    /// Whether borrowers are held back by `pause()`.
    public var isPaused = false
    /// How long the borrower at the head of the queue has waited; nil when nobody waits.
    public var longestWait: Duration?
    /// Connections handed out.
    public var acquired = 0
    /// Borrowers that had to wait.
    public var waited = 0
    /// How long those who got a connection by waiting have waited.
    public var waits = WaitHistogram()
    /// Borrowers that gave up because their time was over.
    public var acquireTimeouts = 0
    /// Borrowers that were cancelled or killed while they waited.
    public var acquireCancels = 0
    /// Borrowers that were refused because everyone waited for everyone.
    public var deadlocks = 0
    /// Statements sent for borrowers, transaction control and checks included; those of a loan count at its end.
    public var statements = 0
    /// Statements cancelled on the server: by a kill, a time-out or the pool's end; counted as the one before.
    public var statementCancels = 0
    /// What was done on shared connections.
    public var sharing = PostgresSharingTotals()
    /// Bytes that the connections have sent and the server's host has acknowledged, and bytes that they have received, as the
    /// kernel counts them: logins, protocol and TLS included, the listener's connection not. What a connection that
    /// broke has moved since these numbers were last asked for is missing. nil over UNIX sockets: neither the kernel
    /// nor libpq counts there.
    public var bytesSent: UInt64?
    /// See `bytesSent`.
    public var bytesReceived: UInt64?
    /// Connections made.
    public var connectsSucceeded = 0
    /// Connects that failed.
    public var connectsFailed = 0
    /// Time spent on connects that succeeded, all together.
    public var connectTime = Duration.zero
    /// Connections that broke, idle or in use.
    public var connectionsLost = 0
    /// Connections closed, by reason.
    public var evictions: [PostgresCloseReason: Int] = [:]
    /// Connections that came back inside a transaction.
    public var rolledBackOnReturn = 0
    /// Connections whose state was reset on their return.
    public var resets = 0
    /// Loans that were held for longer than `leakThreshold`.
    public var leaks = 0
    /// Leases that nobody returned: dropped, or left by a greenlet that ended.
    public var leasesAbandoned = 0
    /// Why the last connect failed; nil since one succeeded.
    public var lastConnectError: PostgresError?

    /// Creates zeros.
    public init() {}

    /// The time that half of all borrowers did not wait for longer; zero when half of them did not wait.
    public var medianWait: Duration { waits.percentile(0.5, immediate: acquired - Int(waits.count)) }
    /// The time that all but one borrower in a hundred did not wait for longer.
    public var wait99: Duration { waits.percentile(0.99, immediate: acquired - Int(waits.count)) }
}
