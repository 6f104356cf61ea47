import ReactorCore

/// What a pool knows about a connection that it is about to lend.
public struct PostgresConnectionAge: Hashable, Sendable {
    /// Time since it was opened.
    public var age: Duration
    /// Time since its last borrower gave it back.
    public var idle: Duration
}

/// Code that a pool runs at the turns of a connection's life. All of it runs on the reactor; none is needed.
///
/// A hook that throws costs the connection, never its place in the pool. One that hangs is given up when the pool's
/// `acquireTimeout` (a second at least), or what the borrower has left of its own, is over, and when the pool closes; its
/// connection is closed then.
///
/// ```swift
/// options.hooks.configure = { configuration in
///     var fresh = configuration
///     fresh["password"] = try await vault.password(for: "shop")
///     return fresh
/// }
/// options.hooks.onConnect = { try await $0.execute("SET search_path = shop, public") }
/// ```
public struct PostgresPoolHooks: Sendable {
    /// Called before each connect with the pool's configuration; returns the one to connect with. For passwords that change.
    public var configure:
        (@Sendable @ReactorActor (PostgresConfiguration) async throws -> PostgresConfiguration)?
    /// Called with each new connection, before anybody gets it, and again after a reset, which undoes what it has set.
    public var onConnect: (@Sendable @ReactorActor (PostgresConnection) async throws -> Void)?
    /// Called before each loan. False: close this one, and take another. What it throws the borrower gets.
    public var onAcquire:
        (@Sendable @ReactorActor (PostgresConnection, PostgresConnectionAge) async throws -> Bool)?
    /// Called after each loan, on the pool's own time, before the connection is reset. False: close it.
    public var onRelease: (@Sendable @ReactorActor (PostgresConnection) async throws -> Bool)?
    /// Called as the pool begins to close a connection. Must not wait.
    public var onClose: (@Sendable @ReactorActor (PostgresCloseReason) -> Void)?

    /// No hooks.
    public init() {}
}

/// Why a pool has closed a connection.
public enum PostgresCloseReason: Hashable, Sendable, CaseIterable {
    /// It was older than `maximumLifetime`.
    case lifetime
    /// Nobody needed it for `idleTimeout`.
    case idle
    /// It broke, idle or in use.
    case lost
    /// Another one was lost because the server went away, and this one was as old.
    case swept
    /// The pool's connections are replaced: `recycle()`.
    case recycled
    /// The maximum has become smaller: `resize`.
    case shrunk
    /// The pool is closing.
    case poolClosed
    /// Its borrower closed it.
    case closedByBorrower
    /// `onAcquire` or `onRelease` returned false, threw or hung.
    case refusedByHook
    /// It did not answer the check before a loan.
    case checkFailed
    /// What its borrower had left behind could not be undone.
    case resetFailed
}

/// Something that happened in a pool, for those who count or trace.
public enum PostgresPoolEvent: Sendable {
    /// A connection was lent after a wait of this length; zero for none. `label` as given to `withConnection`.
    case acquired(label: String, waited: Duration)
    /// A connection came back after so long.
    case released(label: String, held: Duration)
    /// A connection was made within this time.
    case connected(Duration)
    /// A connect failed.
    case connectFailed(PostgresError)
    /// A connection of this age is being closed.
    case evicted(PostgresCloseReason, age: Duration)
}
