public import ConnectionPools
public import Logging
import ReactorCore

/// When a pool asks an idle connection whether it lives before it lends it.
///
/// Every idle socket is watched besides: one that the server ends is gone as soon as the reactor has a turn.
public enum PostgresHealthCheck: Hashable, Sendable {
    /// A look at the socket, which costs no round trip; an empty query after `checkAfterIdle`. Default.
    case socket
    /// An empty query before each loan: a round trip.
    case always
    /// Nothing.
    case never
}

/// When a pool undoes what a borrower has left behind: settings, prepared statements, listens, advisory locks, temporary tables.
///
/// `DISCARD ALL` does it, a round trip, and the connection's own prepared statements go too.
public enum PostgresResetPolicy: Hashable, Sendable {
    /// Not at all. Only cursors WITH HOLD of streams that outlive their loan are closed, as with the others.
    case never
    /// After loans whose statements showed that something was left. Default. See `PostgresPoolOptions.reset`.
    case dirty
    /// After each loan.
    case always
}

/// How a pool behaves.
///
/// ```swift
/// var options = PostgresPoolOptions(label: "shop", maximum: 20, minimum: 2)
/// options.maximumLifetime = .seconds(600)
/// options.hooks.onConnect = { try await $0.execute("SET search_path = shop") }
/// ```
public struct PostgresPoolOptions: Sendable {
    /// The pool's name in errors and logs.
    public var label: String
    /// Most connections that the server may see at once, those being opened and closed included. Default 10.
    public var maximum: Int
    /// Connections kept open from the pool's first use on. Default 0.
    public var minimum: Int
    /// Connections kept ready beside those in use, as far as `maximum` allows. Default 0.
    public var minimumIdle = 0
    /// How long a borrower waits for a connection, at most. Default 10 s.
    public var acquireTimeout: Duration
    /// Most borrowers that may wait; one more fails at once. Default: no bound.
    public var maximumWaiting: Int
    /// How single statements are run. Default: each on a connection to itself.
    public var mode: PostgresPoolMode
    /// Age at which a connection is replaced, less up to a tenth by chance; never while it is in use. Default 30 min; nil: never.
    public var maximumLifetime: Duration? = .seconds(1800)
    /// How long a connection beyond the minimum lies idle before it is closed. Default 10 min; nil: for ever.
    public var idleTimeout: Duration? = .seconds(600)
    /// Which idle connection is lent next; `.roundRobin` behind a balancer. Default: the one that came back last.
    public var reuse = PoolReuse.lastInFirstOut
    /// When an idle connection is asked whether it lives.
    public var check = PostgresHealthCheck.socket
    /// How long a connection may lie idle before the look at its socket is not enough. Default 30 s.
    public var checkAfterIdle: Duration = .seconds(30)
    /// How long the answer to a check may take. Default 2 s.
    public var checkTimeout: Duration = .seconds(2)
    /// How long the server may be silent on the connection for notifications before it is asked, by an empty query, whether it is
    /// there; no answer within `checkTimeout` is a loss: `listen` reconnects and says `.reconnected`. At least a millisecond.
    /// Default 30 s, over UNIX sockets too: their servers can hang. nil: never, then a network that was cut is not noticed.
    public var listenerKeepAlive: Duration? = .seconds(30)
    /// When what a borrower has left behind is undone.
    ///
    /// `.dirty` goes by command tags (SET, RESET, LISTEN, LOAD, PREPARE, DECLARE … WITH HOLD) and by names in the statements
    /// (session-level advisory locks, `set_config`, temporary tables). What functions and DO blocks do inside it does not see.
    public var reset = PostgresResetPolicy.dirty
    /// How long a connection may be held before that is logged, once, with who holds it. Default 30 s; nil: for ever.
    public var leakThreshold: Duration? = .seconds(30)
    /// Code that runs at the turns of a connection's life.
    public var hooks = PostgresPoolHooks()
    /// Told of what happens, as it happens, on the reactor. Must not wait.
    public var events: (@Sendable @ReactorActor (PostgresPoolEvent) -> Void)?
    /// Where the pool tells of connections lost, connects that failed and borrowers that keep what they borrowed.
    public var logger: Logger

    /// Creates options; the rest is set by property.
    public init(
        label: String = "postgres", maximum: Int = 10, minimum: Int = 0,
        acquireTimeout: Duration = .seconds(10), maximumWaiting: Int = .max,
        mode: PostgresPoolMode = .exclusive,
        logger: Logger = Logger(label: "postgres.pool")
    ) {
        self.label = label
        self.maximum = maximum
        self.minimum = minimum
        self.acquireTimeout = acquireTimeout
        self.maximumWaiting = maximumWaiting
        self.mode = mode
        self.logger = logger
    }

    var limits: PoolLimits {
        PoolLimits(
            maximum: maximum, minimum: minimum, minimumIdle: minimumIdle, maximumWaiting: maximumWaiting,
            maximumLifetime: maximumLifetime, idleTimeout: idleTimeout, leakThreshold: leakThreshold,
            reuse: reuse)
    }
}
