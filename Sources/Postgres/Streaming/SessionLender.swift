import PostgresValues
import ReactorCore

/// A session for one stream, cursor or COPY, and what is to be done when it is free again.
struct SessionLoan {
    let session: PostgresSession
    /// Called once, when nothing is under way any more.
    let giveBack: @ReactorActor () -> Void
}

/// What a stream gets its session from.
@ReactorActor
protocol SessionLender: PostgresDatabase {
    /// A session to send the next statement on. Whoever gets it gives it back.
    func borrowSession() async throws -> SessionLoan
}

extension PostgresConnection: SessionLender {
    func borrowSession() throws -> SessionLoan { SessionLoan(session: try lent(), giveBack: {}) }
}

extension PostgresTransaction: SessionLender {
    func borrowSession() throws -> SessionLoan { SessionLoan(session: try open(), giveBack: {}) }
}

extension PostgresPool: SessionLender {
    func borrowSession() async throws -> SessionLoan {
        if let ambient = try ambientTransaction() { return try ambient.borrowSession() }
        let lease = try await acquire(timeout: options.acquireTimeout, for: .current("stream"))
        return SessionLoan(session: lease.connection) { self.release(lease) }
    }
}

extension PostgresDatabase {
    /// A session of this database.
    func lendSession() async throws -> SessionLoan {
        guard let lender = self as? any SessionLender else {
            throw PostgresError(
                .unexpectedResult,
                "a \(Self.self) has no connection to stream from; use a pool, a connection or a transaction")
        }
        return try await lender.borrowSession()
    }
}
