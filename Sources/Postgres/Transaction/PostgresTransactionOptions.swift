import ReactorCore

/// What a transaction sees of those that run beside it. See PostgreSQL's chapter on transaction isolation.
public enum PostgresIsolation: String, Hashable, Sendable {
    /// Each statement sees what was committed before it began. The server's usual default.
    case readCommitted = "READ COMMITTED"
    /// All statements see what was committed before the first. Updates that meet a later change fail with `40001`.
    case repeatableRead = "REPEATABLE READ"
    /// As if the transactions had run one after the other; those that could not have fail with `40001`.
    case serializable = "SERIALIZABLE"
}

/// How a transaction is begun and how often it is tried.
///
/// Written as arguments: `db.transaction(isolation: .serializable, retry: 3) { tx in … }`.
public struct PostgresTransactionOptions: Hashable, Sendable {
    /// What it sees of others; nil: what the server's `default_transaction_isolation` says.
    public var isolation: PostgresIsolation?
    /// Whether the server refuses writes in it; nil: what `default_transaction_read_only` says.
    public var isReadOnly: Bool?
    /// Whether a serializable read-only transaction waits until it can run without ever failing with `40001`.
    public var isDeferrable = false
    /// How many times more the body is run when the server ended the transaction with `40001` (serialization failure) or
    /// `40P01` (deadlock). Each is a whole new transaction after a short pause of random length.
    public var retry = 0
    /// On a pool: what it is for, shown when others wait for a connection in vain or it is held for long.
    public var label = ""
    /// On a pool: how long to wait for a connection; nil: the `acquireTimeout` of its options.
    public var acquireTimeout: Duration?
    /// Where it is asked for.
    var place = TransactionPlace()

    /// The defaults of the server, tried once.
    public init() {}

    /// Options by value.
    ///
    /// - Precondition: `retry` is not negative.
    public init(
        isolation: PostgresIsolation? = nil, readOnly: Bool? = nil, deferrable: Bool = false, retry: Int = 0
    ) {
        precondition(retry >= 0, "a transaction cannot be retried \(retry) times")
        self.isolation = isolation
        isReadOnly = readOnly
        isDeferrable = deferrable
        self.retry = retry
    }

    /// The same, asked for there, unless they know a place already.
    func asked(at file: StaticString, _ line: UInt) -> Self {
        var options = self
        if options.place.line == 0 { options.place = TransactionPlace(file: file, line: line) }
        return options
    }

    /// Whether they say how the transaction differs from others, which a savepoint cannot.
    var areOfWholeTransactions: Bool { isolation != nil || isReadOnly != nil || isDeferrable || retry != 0 }

    /// The statement that begins such a transaction.
    var begin: String {
        var modes: [String] = []
        if let isolation { modes.append("ISOLATION LEVEL \(isolation.rawValue)") }
        if let isReadOnly { modes.append(isReadOnly ? "READ ONLY" : "READ WRITE") }
        if isDeferrable { modes.append("DEFERRABLE") }
        return modes.isEmpty ? "BEGIN" : "BEGIN " + modes.joined(separator: ", ")
    }

    /// The pause before run number `run`, from 2: 4 ms to 8 ms, doubling up to a second; `chance` is in 0…1.
    static func pause(before run: Int, chance: Double) -> Duration {
        let longest = min(Duration.milliseconds(8) * (1 << min(run - 2, 7)), .seconds(1))
        return longest * (0.5 + 0.5 * chance)
    }
}

/// A line of the program, as `PoolHolder` takes it: a `CallSite` of the reactor does not give its file back.
struct TransactionPlace: Hashable, Sendable {
    var file: StaticString = ""
    var line: UInt = 0

    static func == (one: Self, other: Self) -> Bool {
        one.line == other.line && one.file.description == other.file.description
    }

    func hash(into hasher: inout Hasher) { hasher.combine(line) }
}

extension PostgresDatabase {
    /// Runs `body` in a transaction: BEGIN, then COMMIT when it returns and ROLLBACK when it throws. Parks the calling task
    /// at both, and wherever `body` waits.
    ///
    /// ```swift
    /// try await pool.transaction(isolation: .serializable, retry: 3) { tx in
    ///     let balance: Int = try await tx.one("SELECT balance FROM account WHERE id = \(id)")
    ///     try await tx.execute("UPDATE account SET balance = \(balance - amount) WHERE id = \(id)")
    /// }
    /// ```
    /// On a transaction it is a savepoint: what `body` did is undone when it throws, and the outer transaction goes on. A
    /// cancelled task rolls back. COMMIT itself is not cancelled: when the task is cancelled, the greenlet killed or the pool
    /// closed meanwhile, it has `cancelGrace` of the configuration to end as it will. After that the connection is closed, and
    /// `connectionLost` says that nobody knows whether it took place. Left alone it may take as long as it does; what a cut
    /// network costs at most the operating system decides, or `tcp_user_timeout` in the connection string.
    ///
    /// On a pool the greenlet's other uses of that pool inside `body` join the transaction: they run on its connection. A
    /// greenlet spawned in there has no part in it; see `PostgresPool.outsideTransaction(_:)`.
    /// - Parameters:
    ///   - isolation: what it sees of others; nil: the server's default.
    ///   - readOnly: whether the server refuses writes; nil: the server's default.
    ///   - deferrable: whether a serializable read-only transaction waits until it cannot fail any more.
    ///   - retry: how many times more `body` is run, in a new transaction, when the server chose this one to fail (`40001`,
    ///     `40P01`), whatever error `body` makes of that. What `body` did besides is not undone: let it do nothing else, or by
    ///     `onCommit`.
    ///   - label: on a pool what it is for: shown with the place of the call when others wait in vain or it is held for long.
    ///   - acquireTimeout: on a pool how long to wait for a connection; nil: the `acquireTimeout` of its options.
    /// - Throws: what `body` throws; `PostgresError` with code `transactionRolledBack` when a statement had failed and its
    ///   error was swallowed, so that the server answered COMMIT by ROLLBACK; `connectionLost` from COMMIT: whether it took
    ///   place is not known; `invalidTransaction` for a savepoint with modes of its own; `connectionBusy`, and all is rolled back,
    ///   when `body` has returned while another task is at work in a savepoint inside; otherwise as `query`.
    public func transaction<T: Sendable>(
        isolation: PostgresIsolation? = nil, readOnly: Bool? = nil, deferrable: Bool = false, retry: Int = 0,
        label: String = "", acquireTimeout: Duration? = nil, fileID: StaticString = #fileID,
        line: UInt = #line,
        _ body: @ReactorActor (PostgresTransaction) async throws -> T
    ) async throws -> T {
        var options = PostgresTransactionOptions(
            isolation: isolation, readOnly: readOnly, deferrable: deferrable, retry: retry)
        options.label = label
        options.acquireTimeout = acquireTimeout
        return try await transaction(options.asked(at: fileID, line), body)
    }

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// As the `async` form, for synchronous code in a greenlet; parks the greenlet.
    @_disfavoredOverload
    public func transaction<T: Sendable>(
        isolation: PostgresIsolation? = nil, readOnly: Bool? = nil, deferrable: Bool = false, retry: Int = 0,
        label: String = "", acquireTimeout: Duration? = nil, fileID: StaticString = #fileID,
        line: UInt = #line,
        _ body: @ReactorActor (PostgresTransaction) throws -> T
    ) throws -> T {
        var options = PostgresTransactionOptions(
            isolation: isolation, readOnly: readOnly, deferrable: deferrable, retry: retry)
        options.label = label
        options.acquireTimeout = acquireTimeout
        return try transaction(options.asked(at: fileID, line), body)
    }
}
