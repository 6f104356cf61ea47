import Greenlets
import PostgresValues
import ReactorCore

/// The transaction that is open around the calling code, and whose it is.
///
/// A task-local: it is seen in `transaction { … }` only, whatever functions that calls.
final class AmbientTransaction: Sendable {
    @TaskLocal static var current: AmbientTransaction?

    let pool: PostgresPool
    let transaction: PostgresTransaction
    /// The greenlet that runs it; nil: a plain task.
    let greenlet: AnyGreenlet?
    /// That of another pool around it.
    let outer: AmbientTransaction?

    @ReactorActor init(_ pool: PostgresPool, _ transaction: PostgresTransaction, _ greenlet: AnyGreenlet?) {
        self.pool = pool
        self.transaction = transaction
        self.greenlet = greenlet
        // Not one that is over: callbacks that carry it on would make a chain without end.
        var outer = Self.current
        while let ambient = outer, !ambient.transaction.isOpen { outer = ambient.outer }
        self.outer = outer
    }
}

extension PostgresPool {
    /// Runs `body` in a transaction on a connection of its own; see `PostgresDatabase`.
    ///
    /// Inside another transaction of this pool in the same greenlet it is a savepoint of that one.
    public func transaction<T: Sendable>(
        _ options: PostgresTransactionOptions, _ body: @ReactorActor (PostgresTransaction) async throws -> T
    ) async throws -> T {
        if let ambient = try ambientTransaction() { return try await ambient.transaction(options, body) }
        return try await PostgresTransaction.run(options, { try await self.begin(options) }) { transaction in
            try await AmbientTransaction.$current.withValue(ambient(transaction)) {
                try await body(transaction)
            }
        }
    }

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// As the `async` form, for synchronous code in a greenlet.
    @_disfavoredOverload
    public func transaction<T: Sendable>(
        _ options: PostgresTransactionOptions, _ body: @ReactorActor (PostgresTransaction) throws -> T
    ) throws -> T {
        if let ambient = try ambientTransaction() { return try ambient.transaction(options, body) }
        return try PostgresTransaction.run(options, { try await self.begin(options) }) { transaction in
            try AmbientTransaction.$current.withValue(ambient(transaction)) { try body(transaction) }
        }
    }

    /// Runs `body` as if no transaction of the calling greenlet were open: what it does on the pool has connections of its
    /// own, is seen by others at once and stays when the transaction is rolled back. For a log, a job that is spawned.
    public func outsideTransaction<T>(_ body: @ReactorActor () async throws -> T) async throws -> T {
        try await AmbientTransaction.$current.withValue(nil) { try await body() }
    }

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// As the `async` form, for synchronous code in a greenlet.
    @_disfavoredOverload
    public func outsideTransaction<T>(_ body: @ReactorActor () throws -> T) throws -> T {
        try AmbientTransaction.$current.withValue(nil) { try body() }
    }

    /// The transaction on this pool that the calling greenlet has open.
    ///
    /// - Throws: `transactionNotShared` in a greenlet that was spawned inside one which is still open.
    func ambientTransaction() throws(PostgresError) -> PostgresTransaction? {
        // The first test spares a look-up to whoever uses no transactions.
        guard openTransactions > 0 else { return nil }
        var innermost = AmbientTransaction.current
        while let ambient = innermost, ambient.pool !== self || !ambient.transaction.isOpen {
            innermost = ambient.outer
        }
        guard let ambient = innermost else { return nil }
        guard ambient.greenlet === AnyGreenlet.current else {
            throw PostgresError(
                .transactionNotShared,
                "this greenlet was spawned inside a transaction on pool \"\(options.label)\" that is still open, and would "
                    + "use its connection beside it; wait for its end, or use the pool in outsideTransaction { … }"
            )
        }
        return ambient.transaction
    }

    private func ambient(_ transaction: PostgresTransaction) -> AmbientTransaction {
        AmbientTransaction(self, transaction, .current)
    }

    private func begin(_ transactionOptions: PostgresTransactionOptions) async throws -> PostgresTransaction {
        let label = transactionOptions.label
        let place = transactionOptions.place
        let lease = try await acquire(
            timeout: transactionOptions.acquireTimeout ?? options.acquireTimeout,
            for: .current(label.isEmpty ? "transaction" : label, place.file, place.line))
        do {
            let transaction = try await PostgresTransaction.begin(transactionOptions, on: lease.connection) {
                self.openTransactions -= 1
                self.release(lease)
            }
            openTransactions += 1
            return transaction
        } catch {
            release(lease)
            throw error
        }
    }
}
