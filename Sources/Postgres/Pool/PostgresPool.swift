import CLinux
import ConnectionPools
import DequeModule
import Greenlets
public import PostgresValues
public import ReactorCore

/// Connections to one database, shared by many greenlets.
///
/// ```swift
/// let pool = PostgresPool(try PostgresConfiguration("postgres://app@localhost/shop"), .init(label: "shop", maximum: 20))
/// let count: Int = try await pool.one("SELECT count(*) FROM film WHERE length > \(90)")
/// try await pool.transaction { tx in try await tx.execute("UPDATE film SET …") }
/// await pool.close()
/// ```
/// - Connections are opened when needed, by the pool itself: a borrower that leaves disturbs no connect.
/// - Borrowers are served strictly in order of arrival. The maximum holds as the server sees it.
/// - Idle connections are watched: one that the server ends is gone before anybody borrows it, and with it all that are as old.
/// - While the server is away connects are tried again without end: after 0.4 s at most while anybody waits, after six
///   where only the minimum lacks.
/// - A connection returns as it was borrowed: an open transaction is rolled back, what statements left behind is reset, a
///   broken connection replaced.
/// - When everyone who holds a connection asks for another, the last to ask gets `poolDeadlock` instead of a long wait.
/// - In the child of a fork the pool is empty: the sockets are the parent's, and are closed there without a word.
///
/// All decisions are `PoolStateMachine`'s; this class carries them out. It may be made before the reactor runs, and belongs to
/// the reactor that first uses it.
@ReactorActor
public final class PostgresPool: PostgresDatabase {
    typealias Lease = PoolLease<PostgresSession>

    /// Where it connects to.
    public nonisolated let configuration: PostgresConfiguration
    /// How it was made; sizes may have been changed since by `resize`.
    public nonisolated let options: PostgresPoolOptions

    var machine: PoolStateMachine<PostgresSession, PoolWaiter>
    var totals = PostgresPoolStatistics()
    /// What connections moved that are closed; nil when none could tell.
    var closedTraffic: Traffic?
    var connecting: [PoolSlot: Task<Void, Never>] = [:]
    var backoffTimer: DelayedCall?
    /// For connects that take long while somebody waits.
    var patienceTimer: DelayedCall?
    /// The one timer for lifetimes, idle connections and leaks.
    var upkeepTimer: DelayedCall?
    /// Waiters with the pool's own time-out, oldest first; those that are served leave late.
    var impatient = Deque<PoolWaiter>()
    var deadlineTimer: DelayedCall?
    /// Transactions begun by `transaction` and not ended.
    var openTransactions = 0
    /// A connection has been found to have its session to itself, as far as one could see.
    var isPoolerRuledOut = false
    /// Made when somebody first listens.
    var listener: PostgresListener?
    /// Whether statements share connections.
    let isShared: Bool
    /// Where they do; nil in a pool that is not of that mode.
    lazy var multiplexer = Multiplexer(self)
    /// Ends the hooks under way, by number.
    var hookEnds: [Int: @ReactorActor () -> Void] = [:]
    var lastHook = 0
    var warmWaiters: [Waiter<Void>] = []
    var isDrained = false
    var drainWaiters: [Waiter<Void>] = []
    /// Send the cancel requests of its sessions: in a storm of them a few at a time, since the server forks for each. Its own,
    /// so that requests to another server that are stuck hold up none of these.
    var cancelThreads = PostgresPool.makeCancelThreads()
    /// Tells the process that uses the pool from its children.
    var forks = clinux_fork_count()

    /// Makes a pool; connects nowhere yet. Any thread.
    public nonisolated init(_ configuration: PostgresConfiguration, _ options: PostgresPoolOptions = .init())
    {
        self.configuration = configuration
        self.options = options
        isShared = options.mode != .exclusive
        machine = PoolStateMachine(limits: options.limits)
    }

    /// A pool dropped without `close()` closes its idle connections, without waiting for the server.
    isolated deinit {
        guard forks == clinux_fork_count() else { return abandonSessions() }
        listener?.stop()
        for timer in [backoffTimer, patienceTimer, upkeepTimer, deadlineTimer] { timer?.cancelIfActive() }
        guard machine.counts.idle > 0 else { return }
        for close in machine.shutDown(force: false, at: now).closes { close.connection.onIdleLoss = nil }
    }

    /// The pool's numbers now. Never waits.
    public var statistics: PostgresPoolStatistics {
        adoptIfForked()
        var numbers = totals
        numbers.label = options.label
        numbers.counts = machine.counts
        numbers.isPaused = machine.isPaused
        numbers.longestWait = machine.headWaitsSince.map { now - $0 }
        if isShared, let multiplexer {
            numbers.sharing = multiplexer.totals
            numbers.sharing.givenWay = multiplexer.machine.givenWay
        }
        var traffic = closedTraffic
        for session in machine.connections {
            if let moved = session.traffic { traffic = moved + (traffic ?? .init()) }
        }
        numbers.bytesSent = traffic?.sent
        numbers.bytesReceived = traffic?.received
        return numbers
    }

    // MARK: Using it

    /// Runs one statement on a connection of the pool; see `PostgresDatabase`.
    ///
    /// - Throws: besides, what `withConnection` throws when there is no connection.
    public func query(_ sql: SQL, timeout: Duration?) async throws -> PostgresRows {
        if let ambient = try ambientTransaction() { return try await ambient.query(sql, timeout: timeout) }
        var fingerprint: UInt64?
        if isShared {
            adoptIfForked()
            if let multiplexer {
                let number = sql.fingerprint
                if multiplexer.takes(sql, number) {
                    return try await multiplexer.query(sql, number, timeout: timeout)
                }
                fingerprint = number
            }
        }
        let holder = PoolHolder.current("query")
        let lease: Lease
        let idle = tryAcquire(for: holder)
        if let idle, isReady(idle.connection) {
            lease = idle
        } else {
            lease = try await acquire(timeout: options.acquireTimeout, for: holder, having: idle)
        }
        defer { release(lease) }
        guard let fingerprint, options.mode == .automatic else {
            return try await lease.connection.query(sql, timeout: timeout)
        }
        let start = now
        let rows = try await lease.connection.query(sql, timeout: timeout)
        multiplexer?.note(fingerprint, now - start)
        return rows
    }

    /// Lends a connection to `body` for as long as it runs. Parks the calling task until there is one.
    ///
    /// ```swift
    /// try await pool.withConnection(label: "report") { connection in try await connection.script(text) }
    /// ```
    /// The connection must not be used after `body`; such use throws.
    /// - Parameters:
    ///   - label: what it is for: shown with the place of the call when others wait in vain or it is held for long.
    ///   - timeout: how long to wait for a connection; default `acquireTimeout` of the options.
    /// - Throws: what `body` throws. `PostgresError`: `acquireTimedOut`, saying how the pool stands, who holds its connections
    ///   and why the last connect failed; `poolDeadlock` at once when everyone who holds a connection waits for another;
    ///   `connectFailed` at once when trying again cannot help (wrong password, no such database); `tooManyWaiting`; `poolClosed`.
    ///   What the hook `onAcquire` throws. `CancellationError`: a borrower that leaves the queue loses its place and nothing else.
    public func withConnection<T: Sendable>(
        label: String = "", timeout: Duration? = nil, fileID: StaticString = #fileID, line: UInt = #line,
        _ body: @ReactorActor (PostgresConnection) async throws -> T
    ) async throws -> T {
        if let ambient = try ambientTransaction() {
            let connection = try PostgresConnection(in: ambient)
            defer { connection.endLoan() }
            return try await body(connection)
        }
        let lease = try await acquire(
            timeout: timeout ?? options.acquireTimeout, for: .current(label, fileID, line))
        let connection = PostgresConnection(lease.connection)
        defer {
            connection.endLoan()
            release(lease)
        }
        return try await body(connection)
    }

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// As the `async` form, for synchronous code in a greenlet.
    @_disfavoredOverload
    public func withConnection<T: Sendable>(
        label: String = "", timeout: Duration? = nil, fileID: StaticString = #fileID, line: UInt = #line,
        _ body: @ReactorActor (PostgresConnection) throws -> T
    ) throws -> T {
        if let ambient = try ambientTransaction() {
            let connection = try PostgresConnection(in: ambient)
            defer { connection.endLoan() }
            return try body(connection)
        }
        let lease = try Greenlet.blockingCall {
            try await self.acquire(
                timeout: timeout ?? self.options.acquireTimeout, for: .current(label, fileID, line))
        }
        let connection = PostgresConnection(lease.connection)
        defer {
            connection.endLoan()
            release(lease)
        }
        return try body(connection)
    }
}
