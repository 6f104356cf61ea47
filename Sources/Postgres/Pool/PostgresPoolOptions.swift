public import Logging

/// How a pool behaves.
public struct PostgresPoolOptions: Sendable {
    /// The pool's name in errors and logs.
    public var label: String
    /// Most connections that the server may see at once, those being opened and closed included. Default 10.
    public var maximum: Int
    /// How long a borrower waits for a connection, at most. Default 10 s.
    public var acquireTimeout: Duration
    /// Most borrowers that may wait; one more fails at once. Default: no bound.
    public var maximumWaiting: Int
    /// How single statements are run. Default: each on a connection to itself.
    public var mode: PostgresPoolMode
    /// Where the pool tells of connections lost and connects that failed.
    public var logger: Logger

    /// Creates options.
    public init(
        label: String = "postgres", maximum: Int = 10, acquireTimeout: Duration = .seconds(10),
        maximumWaiting: Int = .max, mode: PostgresPoolMode = .exclusive,
        logger: Logger = Logger(label: "postgres.pool")
    ) {
        self.label = label
        self.maximum = maximum
        self.acquireTimeout = acquireTimeout
        self.maximumWaiting = maximumWaiting
        self.mode = mode
        self.logger = logger
    }
}
