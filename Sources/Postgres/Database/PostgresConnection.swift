import CLibPQ
import Greenlets
public import PostgresValues
public import ReactorCore

/// Where a connection stands with regard to transactions, as the server last said.
public enum PostgresTransactionStatus: Hashable, Sendable {
    /// No transaction.
    case idle
    /// A statement is under way.
    case active
    /// In a transaction, between statements.
    case inTransaction
    /// In a transaction that an error has failed; only ROLLBACK is taken.
    case failed
    /// The connection is closed or broken.
    case unknown

    init(_ status: PGTransactionStatusType) {
        switch status {
        case PQTRANS_IDLE: self = .idle
        case PQTRANS_ACTIVE: self = .active
        case PQTRANS_INTRANS: self = .inTransaction
        case PQTRANS_INERROR: self = .failed
        default: self = .unknown
        }
    }
}

/// One connection to a server: its session state, its transaction, its process there.
///
/// Runs one statement at a time: a second greenlet that uses it meanwhile gets `connectionBusy`. Get one by
/// `pool.withConnection`, or one of your own:
/// ```swift
/// let connection = try await PostgresConnection.connect(PostgresConfiguration("postgres://app@localhost/shop"))
/// let version: String = try await connection.one("SELECT version()")
/// await connection.close()
/// ```
@ReactorActor
public final class PostgresConnection: PostgresDatabase {
    let session: PostgresSession
    /// The transaction that it was lent in, whose its own are savepoints.
    private let ambient: PostgresTransaction?
    /// Set when the scope that lent the connection has ended.
    private var isOver = false

    init(_ session: PostgresSession) {
        self.session = session
        ambient = nil
    }

    /// The connection of a transaction.
    init(in transaction: PostgresTransaction) throws(PostgresError) {
        session = try transaction.open()
        ambient = transaction
    }

    /// Logs in. Parks the calling task. Close the connection when done.
    ///
    /// Several hosts, and the addresses of each, are tried in turn, every address with `connectTimeout`; names are looked up
    /// without blocking the reactor.
    /// - Throws: `PostgresError` with code `connectFailed`, whose one line says where and why and holds no password;
    ///   `invalidConfiguration`, behind a pooler in transaction mode that `configuration.pooling` does not speak of too;
    ///   `CancellationError`, with nothing left behind.
    public static func connect(_ configuration: PostgresConfiguration) async throws -> PostgresConnection {
        PostgresConnection(try await PostgresSession.connectAndCheck(configuration))
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated static func connect(_ configuration: PostgresConfiguration) throws
        -> PostgresConnection
    {
        try Greenlet.blockingCall { try await self.connect(configuration) }
    }

    /// The server's process that serves this connection, as in `pg_stat_activity.pid`.
    public var processID: Int32 { session.processID }

    /// Where it stands with regard to transactions. Costs no round trip.
    public var transactionStatus: PostgresTransactionStatus {
        PostgresTransactionStatus(session.transactionStatus)
    }

    /// Whether statements can be sent.
    public var isUsable: Bool { !isOver && session.isUsable }

    /// How it is encrypted; nil: not at all.
    public var tls: PostgresTLS? { session.handle.flatMap { PostgresTLS($0) } }

    /// A parameter that the server reports by itself, such as `server_version` or `TimeZone`; nil for others.
    public func serverParameter(_ name: String) -> String? {
        guard let handle = session.handle, let value = PQparameterStatus(handle, name) else { return nil }
        return String(cString: value)
    }

    /// Runs one statement; see `PostgresDatabase`.
    public func query(_ sql: SQL, timeout: Duration?) async throws -> PostgresRows {
        try await lent().query(sql, timeout: timeout)
    }

    /// Runs a text of any number of statements, such as a migration file. Parks the calling task; rows are dropped.
    ///
    /// The server takes the text as one transaction unless BEGIN and COMMIT are in it: an error undoes the others. Statements
    /// that refuse transactions, such as CREATE INDEX CONCURRENTLY, have to stand alone.
    /// - Throws: as `query`; the first error ends the script.
    public func script(_ text: String, timeout: Duration? = nil) async throws {
        _ = try await lent().script(text, timeout: timeout)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func script(_ text: String, timeout: Duration? = nil) throws {
        try Greenlet.blockingCall { try await self.script(text, timeout: timeout) }
    }

    /// Runs `body` in a transaction; see `PostgresDatabase`.
    public func transaction<T: Sendable>(
        _ options: PostgresTransactionOptions, _ body: @ReactorActor (PostgresTransaction) async throws -> T
    ) async throws -> T {
        if let ambient = try enclosing() { return try await ambient.transaction(options, body) }
        return try await PostgresTransaction.run(
            options, { try await PostgresTransaction.begin(options, on: self.lent()) }, body)
    }

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// As the `async` form, for synchronous code in a greenlet.
    @_disfavoredOverload
    public func transaction<T: Sendable>(
        _ options: PostgresTransactionOptions, _ body: @ReactorActor (PostgresTransaction) throws -> T
    ) throws -> T {
        if let ambient = try enclosing() { return try ambient.transaction(options, body) }
        return try PostgresTransaction.run(
            options, { try await PostgresTransaction.begin(options, on: self.lent()) }, body)
    }

    /// The transaction that it was lent in, while it is lent.
    private func enclosing() throws(PostgresError) -> PostgresTransaction? {
        if ambient != nil { _ = try lent() }
        return ambient
    }

    /// Logs out. Parks the calling task until the server has let go, two seconds at most. Closing again does nothing.
    ///
    /// A statement under way in another greenlet fails with `connectionLost`. A connection lent by a pool is closed there
    /// and replaced; after the scope that lent it this does nothing: it is somebody else's.
    public func close() async {
        if !isOver { await session.close() }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func close() throws { try Greenlet.blockingCall { await self.close() } }

    /// The scope that lent the connection has ended.
    func endLoan() {
        isOver = true
        session.notifications.end()
    }

    func lent() throws(PostgresError) -> PostgresSession {
        guard !isOver else {
            throw PostgresError(
                .connectionClosed, "the connection was used after the withConnection that lent it had ended")
        }
        return session
    }
}
