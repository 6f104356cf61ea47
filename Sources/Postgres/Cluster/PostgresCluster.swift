import Greenlets
public import ReactorCore

/// A primary and its replicas: writes go to the one, reads to whichever of the others is current and has least to do.
///
/// ```swift
/// let cluster = PostgresCluster(
///     primary: PostgresPool(try PostgresConfiguration("postgres://app@db1,db2/shop?target_session_attrs=read-write")),
///     replicas: [PostgresPool(try PostgresConfiguration("postgres://app@db2/shop"))])
/// let films = try await cluster.read { db in try await Film.all(db) }
/// try await cluster.write { db in try await film.insert(db) }
/// ```
/// - A greenlet that has written reads from the primary for a while, so that it sees what it wrote.
/// - A replica that is behind, or does not answer, is not read from until it has caught up; when none is left, the primary is.
///   While the primary does not answer, a replica counts as current that has replayed all that it has received.
/// - A primary that says it is read-only is one no more: its pool opens new connections, which find the new one when the
///   configuration names all servers and `target_session_attrs=read-write`.
///
/// Sources: Django's database routers; HikariCP's users' replacement of pools at failover.
@ReactorActor
public final class PostgresCluster {
    /// The pool for writes.
    public nonisolated let primary: PostgresPool
    /// How servers are chosen.
    public nonisolated let options: PostgresClusterOptions

    let replicas: [Replica]
    /// Why the greenlet reads from the primary.
    @GreenletLocal private var pin = Pin()
    /// Pulsed when a replica has answered, or failed to.
    private lazy var answered = Event()

    private struct Pin {
        var writes = 0
        var until: ReactorInstant?
    }

    /// Makes a cluster of pools, which belong to it from now on. Connects nowhere yet. Any thread.
    public nonisolated init(
        primary: PostgresPool, replicas: [PostgresPool], _ options: PostgresClusterOptions = .init()
    ) {
        self.primary = primary
        self.options = options
        let position = PrimaryPosition(primary)
        self.replicas = replicas.map { Replica($0, of: position) }
        _pin = GreenletLocal(wrappedValue: Pin())
    }

    /// How each replica stood when it was last asked, in the order in which they were given.
    public var replicaStates: [PostgresReplicaState] { replicas.map(\.state) }

    /// Runs `body` on a server that is good for reading. Parks the calling task wherever `body` waits, and while no replica is known to
    /// be good and one may prove so: at the first look, and after a long time without reads.
    ///
    /// What replicas refuse, and what fails because one cannot be reached, is run once more on the primary: `body` should read
    /// and do nothing else. Inside a transaction of the primary it is that transaction.
    /// - Throws: what `body` throws.
    public func read<T: Sendable>(
        _ body: @ReactorActor (PostgresPool) async throws -> T
    ) async throws -> T {
        guard let replica = try await replicaForReading() else { return try await body(primary) }
        do { return try await body(replica.pool) } catch let error as PostgresError where error.isOfReplica {
            replica.fail(error)
            return try await body(primary)
        }
    }

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// As the `async` form, for synchronous code in a greenlet.
    @_disfavoredOverload
    public func read<T: Sendable>(_ body: @ReactorActor (PostgresPool) throws -> T) throws -> T {
        let replica = try Greenlet.blockingCall { try await self.replicaForReading() }
        guard let replica else { return try body(primary) }
        do { return try body(replica.pool) } catch let error as PostgresError where error.isOfReplica {
            replica.fail(error)
            return try body(primary)
        }
    }

    /// Runs `body` on the primary; the calling greenlet reads from there in `body` and for a while after. Parks the calling task
    /// wherever `body` waits.
    ///
    /// - Throws: what `body` throws. After `25006`, the primary being one no more, its connections are replaced.
    public func write<T: Sendable>(
        _ body: @ReactorActor (PostgresPool) async throws -> T
    ) async throws -> T {
        beginWrite()
        defer { endWrite() }
        do { return try await body(primary) } catch {
            noteWriteFailure(error)
            throw error
        }
    }

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// As the `async` form, for synchronous code in a greenlet.
    @_disfavoredOverload
    public func write<T: Sendable>(_ body: @ReactorActor (PostgresPool) throws -> T) throws -> T {
        beginWrite()
        defer { endWrite() }
        do { return try body(primary) } catch {
            noteWriteFailure(error)
            throw error
        }
    }

    /// Closes all pools; see `PostgresPool.close(grace:)`.
    public func close(grace: Duration = .seconds(10)) async {
        let closing = replicas.map { replica in
            Reactor.current.startTask { await replica.pool.close(grace: grace) }
        }
        await primary.close(grace: grace)
        for task in closing { await task.value }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func close(grace: Duration = .seconds(10)) throws {
        try Greenlet.blockingCall { await self.close(grace: grace) }
    }

    /// The replica to read from; nil: the primary.
    private func replicaForReading() async throws -> Replica? {
        let start = Reactor.current.now
        if pin.writes > 0 || pin.until.map({ $0 > start }) ?? false { return nil }
        if try primary.ambientTransaction() != nil { return nil }
        for replica in replicas {
            replica.refresh(options) { [self] in
                answered.set()
                answered.clear()
            }
        }
        while true {
            // Shuffled: among equals chance decides.
            let current = replicas.shuffled().filter { $0.isCurrent(options, since: start) }
            if let best = current.min(by: { $0.load < $1.load }) { return best }
            guard replicas.contains(where: \.isPromising) else { return nil }
            try await answered.wait()
        }
    }

    /// What is written is seen by the reads of the same body already.
    private func beginWrite() { pin.writes += 1 }

    private func endWrite() {
        pin.writes -= 1
        pin.until = Reactor.current.now.advanced(by: options.pinning)
    }

    private func noteWriteFailure(_ error: any Error) {
        guard (error as? PostgresError)?.cause.sqlState == .readOnlySQLTransaction else { return }
        primary.recycle()
    }
}

extension PostgresError {
    /// Whether another server may do better: this one cannot be reached, is going, or must not write.
    fileprivate var isOfReplica: Bool {
        let cause = cause
        switch cause.code {
        case .connectFailed, .connectionLost, .acquireTimedOut, .tooManyWaiting: return true
        // 40001 and 40P01 also are what a query gets that recovery is in the way of.
        case .server:
            return cause.sqlState == .readOnlySQLTransaction || cause.sqlState == .cannotConnectNow
                || cause.sqlState == .serializationFailure || cause.sqlState == .deadlockDetected
        default: return false
        }
    }

    /// What failed the transaction or pipeline, where this only says that it has failed.
    fileprivate var cause: PostgresError {
        guard code == .transactionRolledBack || code == .pipelineAborted else { return self }
        return (underlying as? PostgresError)?.cause ?? self
    }
}
