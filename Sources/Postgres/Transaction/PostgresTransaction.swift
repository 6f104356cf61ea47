import CLibPQ
import ConnectionPools
import Greenlets
public import PostgresValues
public import ReactorCore

/// A transaction under way, or a savepoint in one; exists inside `transaction { … }` only.
///
/// ```swift
/// try await pool.transaction { outer in
///     try await outer.execute("INSERT INTO film (title) VALUES (\(title))")
///     try? await outer.transaction { inner in          // a savepoint: its failure leaves `outer` good
///         try await inner.execute("INSERT INTO award (film) VALUES (\(title))")
///     }
/// }
/// ```
@ReactorActor
public final class PostgresTransaction: PostgresDatabase {
    private let session: PostgresSession
    /// Its savepoint; nil for the outermost.
    private let savepoint: String?
    private var isOpen = true
    /// Gives a connection back to its pool.
    private var onEnd: (@ReactorActor () -> Void)?

    private init(_ session: PostgresSession, savepoint: String?, onEnd: (@ReactorActor () -> Void)?) {
        self.session = session
        self.savepoint = savepoint
        self.onEnd = onEnd
    }

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
        _ body: @ReactorActor (PostgresTransaction) async throws -> T
    ) async throws -> T {
        try await Self.run({ try await self.beginNested() }, body)
    }

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// As the `async` form, for synchronous code in a greenlet.
    @_disfavoredOverload
    public func transaction<T: Sendable>(_ body: @ReactorActor (PostgresTransaction) throws -> T) throws -> T
    {
        try Self.run({ try await self.beginNested() }, body)
    }

    private func open() throws(PostgresError) -> PostgresSession {
        guard isOpen else {
            throw PostgresError(.transactionFinished, "the transaction was used after its end")
        }
        return session
    }
}

// MARK: - Begin, commit, roll back

extension PostgresTransaction {
    /// BEGIN. `onEnd` is called once, when the transaction has ended, not when BEGIN fails.
    static func begin(
        _ session: PostgresSession, onEnd: (@ReactorActor () -> Void)? = nil
    ) async throws -> PostgresTransaction {
        guard session.transactionStatus != PQTRANS_INTRANS, session.transactionStatus != PQTRANS_INERROR
        else {
            throw PostgresError(
                .connectionBusy, "the connection is in a transaction; nest by calling transaction on that one"
            )
        }
        _ = try await session.script("BEGIN")
        return PostgresTransaction(session, savepoint: nil, onEnd: onEnd)
    }

    private func beginNested() async throws -> PostgresTransaction {
        let session = try open()
        session.savepoints += 1
        let name = "savepoint_\(session.savepoints)"
        _ = try await session.script("SAVEPOINT \(name)")
        return PostgresTransaction(session, savepoint: name, onEnd: nil)
    }

    /// Begin, body, commit; roll back when any of the latter two throws.
    static func run<T: Sendable>(
        _ begin: @ReactorActor () async throws -> PostgresTransaction,
        _ body: @ReactorActor (PostgresTransaction) async throws -> T
    ) async throws -> T {
        let transaction = try await begin()
        do {
            let value = try await body(transaction)
            try await transaction.commit()
            return value
        } catch {
            await transaction.rollBack()
            throw error
        }
    }

    /// The same on a greenlet's own stack.
    static func run<T: Sendable>(
        _ begin: @ReactorActor () async throws -> PostgresTransaction,
        _ body: @ReactorActor (PostgresTransaction) throws -> T
    ) throws -> T {
        let transaction = try Greenlet.blockingCall { try await begin() }
        do {
            let value = try body(transaction)
            try Greenlet.blockingCall { try await transaction.commit() }
            return value
        } catch {
            cleanUp { await transaction.rollBack() }
            throw error
        }
    }

    private func commit() async throws {
        guard isOpen else { return }
        guard session.isUsable else { throw session.unusable }
        // A cancelled body that returned nevertheless must not commit half of its work.
        try Task.checkCancellation()
        switch session.transactionStatus {
        case PQTRANS_IDLE:
            throw PostgresError(
                .transactionFinished, "a COMMIT or ROLLBACK inside the transaction has ended it")
        case PQTRANS_INERROR where savepoint != nil: throw Self.rolledBack
        default: break
        }
        // Not interruptible: a cancelled COMMIT leaves nobody knowing whether it took place.
        let text = savepoint.map { "RELEASE SAVEPOINT \($0)" } ?? "COMMIT"
        let tag = try await session.script(text, isInterruptible: false)
        end()
        // The server answers the COMMIT of a failed transaction with success and this tag.
        if tag == "ROLLBACK" { throw Self.rolledBack }
    }

    private static var rolledBack: PostgresError {
        PostgresError(
            .transactionRolledBack,
            "the transaction was rolled back: one of its statements had failed and the error was not passed on"
        )
    }

    /// Undoes everything, also in a cancelled task. Never throws: a connection that cannot be rolled back is lost, and
    /// the server rolls back.
    private func rollBack() async {
        guard isOpen else { return }
        isOpen = false
        await session.waitUntilFree()
        await session.rollBack(to: savepoint)
        end()
    }

    private func end() {
        isOpen = false
        onEnd?()
        onEnd = nil
    }
}

extension PostgresSession {
    /// Ends the open transaction, or what came after the savepoint. When that fails the session is lost.
    func rollBack(to savepoint: String? = nil) async {
        guard isUsable, transactionStatus != PQTRANS_IDLE else { return }
        let text = savepoint.map { "ROLLBACK TO SAVEPOINT \($0); RELEASE SAVEPOINT \($0)" } ?? "ROLLBACK"
        do {
            _ = try await script(text, timeout: .seconds(5), isInterruptible: false)
        } catch {
            lose(
                PostgresError(.connectionLost, "the transaction could not be rolled back", underlying: error),
                .alone)
        }
    }
}
