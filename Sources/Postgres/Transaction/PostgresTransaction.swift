import Greenlets
public import PostgresValues
public import ReactorCore

/// A transaction under way, or a savepoint in one; exists inside `transaction { … }` only.
///
/// ```swift
/// try await pool.transaction { outer in
///     try await outer.execute("INSERT INTO film (title) VALUES (\(title))")
///     outer.onCommit { await announce(title) }
///     try? await outer.transaction { inner in          // a savepoint: its failure leaves `outer` good
///         try await inner.execute("INSERT INTO award (film) VALUES (\(title))")
///     }
/// }
/// ```
@ReactorActor
public final class PostgresTransaction: PostgresDatabase {
    let session: PostgresSession
    /// Its savepoint; nil for the outermost.
    let savepoint: String?
    /// The transaction that this is a savepoint of.
    private let outer: PostgresTransaction?
    /// The savepoint that was made last directly in this one.
    private weak var inner: PostgresTransaction?
    private(set) var isClosed = false
    /// COMMIT is on its way.
    var isCommitting = false
    /// What is to be done after the end, in order.
    var afterwards: [AfterTransaction] = []
    /// What of it is to be done now that it has ended.
    var due: [AfterTransaction] = []
    /// Whether the connection is a pool's.
    private let isBorrowed: Bool
    /// Gives a connection back to its pool.
    private var onEnd: (@ReactorActor () -> Void)?

    init(
        _ session: PostgresSession, savepoint: String? = nil, in outer: PostgresTransaction? = nil,
        onEnd: (@ReactorActor () -> Void)? = nil
    ) {
        self.session = session
        self.savepoint = savepoint
        self.outer = outer
        isBorrowed = onEnd != nil
        self.onEnd = onEnd
    }

    /// Whether it takes statements.
    var isOpen: Bool { !isClosed && isOuterOpen }

    /// Whether all around it are open. Once one has ended the connection may be somebody else's.
    var isOuterOpen: Bool { outer?.isOpen ?? true }

    /// Whether the next run can have a connection: of a pool always, which may have closed this one when it came back.
    var canBeFollowed: Bool { isBorrowed || session.isUsable }

    /// The savepoint inside that has not ended.
    var openSavepoint: PostgresTransaction? { inner.flatMap { $0.isOpen ? $0 : nil } }

    /// The server's process that runs it.
    public var processID: Int32 { session.processID }

    /// Runs one statement in the transaction; see `PostgresDatabase`.
    ///
    /// - Throws: besides, `PostgresError` with code `transactionFinished` when `transaction { … }` has ended.
    public func query(_ sql: SQL, timeout: Duration?) async throws -> PostgresRows {
        try await open().query(sql, timeout: timeout)
    }

    /// Runs `body` under a savepoint; see `PostgresDatabase`.
    public func transaction<T: Sendable>(
        _ options: PostgresTransactionOptions, _ body: @ReactorActor (PostgresTransaction) async throws -> T
    ) async throws -> T {
        try refuseModes(of: options)
        return try await Self.run(.init(), { try await self.beginNested() }, body)
    }

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// As the `async` form, for synchronous code in a greenlet.
    @_disfavoredOverload
    public func transaction<T: Sendable>(
        _ options: PostgresTransactionOptions, _ body: @ReactorActor (PostgresTransaction) throws -> T
    ) throws -> T {
        try refuseModes(of: options)
        return try Self.run(.init(), { try await self.beginNested() }, body)
    }

    /// The session to run a statement on, while that is allowed.
    func open() throws(PostgresError) -> PostgresSession {
        guard isOpen else {
            throw PostgresError(.transactionFinished, "the transaction was used after its end")
        }
        return session
    }

    /// Takes no more statements.
    func close() { isClosed = true }

    /// It has ended, one way or the other.
    func end(_ outcome: TransactionOutcome) {
        close()
        if let outer, outcome == .committed {
            // Only the outermost COMMIT makes anything last.
            outer.afterwards += afterwards
        } else {
            due = afterwards.filter { $0.outcome == outcome }
        }
        afterwards = []
        onEnd?()
        onEnd = nil
    }

    private func refuseModes(of options: PostgresTransactionOptions) throws(PostgresError) {
        guard !options.areOfWholeTransactions else {
            throw PostgresError(
                .invalidTransaction,
                "a transaction inside a transaction is a savepoint and has no isolation, mode or retry of its own; give "
                    + "them to the outermost")
        }
    }

    private func beginNested() async throws -> PostgresTransaction {
        let session = try open()
        session.savepoints += 1
        let name = "savepoint_\(session.savepoints)"
        _ = try await session.script("SAVEPOINT \(name)")
        // To the server it is inside whatever savepoint is open, and undone with that, whoever was asked for it.
        var outer = self
        while let savepoint = outer.openSavepoint { outer = savepoint }
        let savepoint = PostgresTransaction(session, savepoint: name, in: outer)
        outer.inner = savepoint
        return savepoint
    }
}
