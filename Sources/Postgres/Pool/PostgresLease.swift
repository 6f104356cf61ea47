import ConnectionPools
import Greenlets
import Logging
public import ReactorCore

/// A connection that was borrowed by hand; `end()` gives it back.
///
/// ```swift
/// let lease = try await pool.lease(label: "cursor")
/// defer { lease.end() }
/// try await lease.connection.execute("…")
/// ```
/// Prefer `withConnection`: it cannot be forgotten. A lease that is dropped, or whose greenlet ends, is given back all the
/// same, and the pool's log says so. A class, since an optional, an array and a closure shall be able to hold it. It
/// counts in no claim of a deadlock: anybody may end it.
@ReactorActor
public final class PostgresLease {
    /// The connection; not to be used after `end()`, such use throws.
    public let connection: PostgresConnection
    private let loan: Loan

    init(_ loan: Loan) {
        self.loan = loan
        connection = loan.connection
    }

    isolated deinit { loan.end(.dropped) }

    /// Gives the connection back. Never waits; doing it again does nothing.
    public func end() { loan.end(.asMeant) }
}

/// What a lease and its greenlet have in common.
@ReactorActor
final class Loan {
    enum End { case asMeant, dropped, greenletEnded }

    let connection: PostgresConnection
    private let pool: PostgresPool
    private let lease: PostgresPool.Lease
    private let holder: PoolHolder
    private var isOver = false
    /// Those of the greenlet that took it.
    private weak var keeper: LoanKeeper?

    init(_ pool: PostgresPool, _ lease: PostgresPool.Lease, _ holder: PoolHolder) {
        self.pool = pool
        self.lease = lease
        self.holder = holder
        connection = PostgresConnection(lease.connection)
        guard AnyGreenlet.current != nil else { return }
        keeper = Loans.ofGreenlet
        keeper?.loans[ObjectIdentifier(self)] = self
    }

    func end(_ end: End) {
        guard !isOver else { return }
        isOver = true
        keeper?.loans[ObjectIdentifier(self)] = nil
        if end != .asMeant {
            pool.totals.leasesAbandoned += 1
            let what = end == .dropped ? "was dropped" : "was left behind by its greenlet, which has ended,"
            let label = holder.label.isEmpty ? "" : " \"\(holder.label)\""
            pool.options.logger.warning(
                "pool \(pool.options.label): the lease\(label) taken at \(holder.file):\(holder.line) \(what) without end(); the connection was taken back"
            )
        }
        connection.endLoan()
        pool.release(lease)
    }
}

@ReactorActor
private enum Loans {
    @GreenletLocal static var ofGreenlet = LoanKeeper()
}

/// The loans of one greenlet: freed, as all its locals are, when it ends.
@ReactorActor
final class LoanKeeper {
    var loans: [ObjectIdentifier: Loan] = [:]

    nonisolated init() {}

    isolated deinit {
        for loan in loans.values { loan.end(.greenletEnded) }
    }
}

extension PostgresPool {
    /// Lends a connection until `end()` is called on the lease, or the greenlet that took it has ended. Parks the calling task
    /// until there is one.
    ///
    /// - Parameters: as of `withConnection`.
    /// - Throws: as `withConnection`.
    public func lease(
        label: String = "", timeout: Duration? = nil, fileID: StaticString = #fileID, line: UInt = #line
    ) async throws -> PostgresLease {
        var holder = PoolHolder.current(label, fileID, line)
        // Anybody may end it, so a task that waits does not hold it up.
        holder.task = 0
        let lease = try await acquire(timeout: timeout ?? options.acquireTimeout, for: holder)
        return PostgresLease(Loan(self, lease, holder))
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func lease(
        label: String = "", timeout: Duration? = nil, fileID: StaticString = #fileID, line: UInt = #line
    ) throws -> PostgresLease {
        try Greenlet.blockingCall {
            try await self.lease(label: label, timeout: timeout, fileID: fileID, line: line)
        }
    }
}
