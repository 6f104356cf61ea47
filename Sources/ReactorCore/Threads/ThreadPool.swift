/// Worker threads for calls that block and cannot be made to park: `getaddrinfo`, `PQcancel`, a file on a
/// slow disk.
///
/// Starts with no thread and grows on demand to `limit`; a thread without work ends after `idleTimeout`. Work
/// starts in the order it was handed in. Safe from any thread. Workers take no signals but SIGPROF. Follows
/// Twisted's `ThreadPool`, but that queued work can be taken back.
///
/// ```swift
/// let pool = ThreadPool(limit: 4)
/// let size = try await pool.run { try sizeOfFile("/archive/large") }   // the calling task parks
/// try await pool.stopAndWait()
/// ```
public final class ThreadPool: Sendable {
    private let core: Core

    /// Makes a pool; no thread is started.
    ///
    /// - Parameters:
    ///   - limit: the most threads at once, at least one.
    ///   - idleTimeout: how long a thread without work stays.
    public convenience init(limit: Int, idleTimeout: Duration = .seconds(5)) {
        self.init(limit: limit, idleTimeout: idleTimeout, isHeld: false)
    }

    /// - Parameter isHeld: queue work and run none of it before `start()`.
    package init(limit: Int, idleTimeout: Duration = .seconds(5), isHeld: Bool) {
        precondition(limit > 0, "ThreadPool(limit: \(limit)): at least one thread is needed")
        self.core = Core(limit: limit, idleNanoseconds: idleTimeout.wholeNanoseconds, isHeld: isHeld)
    }

    deinit { core.stop() }

    // MARK: State

    /// The most threads at once.
    public var limit: Int { statistics.limit }

    /// How many threads exist now.
    public var threadCount: Int { statistics.threads }

    /// How many pieces of work wait for a thread.
    public var queuedCount: Int { statistics.queued }

    /// Everything there is to count, at one moment.
    public var statistics: Statistics { core.statistics }

    /// Changes the limit. Twisted's `adjustPoolsize`. Never waits.
    ///
    /// Raised, queued work gets its threads at once. Lowered, threads without work end at once and the others
    /// when they have finished what they run; nothing queued is lost.
    /// - Throws: `ReactorError` with code `invalidArgument` when `limit` is not positive; nothing changes then.
    public func adjust(limit: Int) throws(ReactorError) {
        guard limit > 0 else {
            throw ReactorError(
                .invalidArgument,
                "a thread pool cannot have \(limit) threads: give at least 1, or stop() the pool")
        }
        core.adjust(limit: limit)
    }

    // MARK: Work

    /// Queues `work`; it runs on a worker thread. Never waits.
    ///
    /// - Throws: `ReactorError` with code `threadPoolStopped` after `stop()`, or `systemCall` when no thread
    ///   could be started.
    public func submit(_ work: @escaping @Sendable () -> Void) throws(ReactorError) {
        _ = try core.submit(work)
    }

    /// As `submit`; the ticket takes the work back while it is queued.
    package func enqueue(_ work: @escaping @Sendable () -> Void) throws(ReactorError) -> Ticket {
        try core.submit(work)
    }

    /// Runs `work` on a worker thread; the calling task parks until it is done.
    ///
    /// Cancelled while queued, the work leaves the queue, is never run, and this throws at once. Work that has
    /// begun cannot be stopped; the wait ends, the work goes on, and its outcome is dropped. So `work` must
    /// own everything it uses.
    /// - Throws: what `work` throws; `CancellationError`; `ReactorError` as `submit` does.
    @ReactorActor public func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try Task.checkCancellation()
        let reactor = Reactor.current
        let waiter = Waiter<Value>(on: reactor, for: .thread)
        let ticket = try core.submit {
            let result = Result { try work() }
            reactor.callFromThread {
                switch result {
                case .success(let value): waiter.resume(returning: value)
                case .failure(let error): waiter.resume(throwing: error)
                }
            }
        }
        defer { ticket.cancel() }
        return try await waiter.wait()
    }

    // MARK: Start and stop

    /// Lets a held pool run what it has queued.
    package func start() { core.start() }

    /// Takes no more work, lets queued and running work finish, and ends the threads. Never waits.
    ///
    /// Again, it does nothing.
    public func stop() { core.stop() }

    /// Stops the pool and parks the calling task until queued and running work is done: Twisted's `stop`.
    ///
    /// For a trigger that runs before or during a shutdown. Cancelled, the pool is stopped all the same and
    /// only the wait ends. Any number of tasks may wait.
    /// - Throws: `CancellationError`.
    @ReactorActor public func stopAndWait() async throws {
        let reactor = Reactor.current
        let waiter = Waiter<Void>(on: reactor, for: .thread)
        core.stop()
        core.whenEnded { reactor.callFromThread { waiter.resume(returning: ()) } }
        try await waiter.wait()
    }
}

extension ThreadPool {
    /// What a pool is doing: Twisted's `workers`, `waiters`, `working` and `q`, counted at one moment.
    public struct Statistics: Hashable, Sendable, Codable, CustomStringConvertible {
        /// The most threads at once.
        public let limit: Int
        /// Threads that exist.
        public let threads: Int
        /// Threads that wait for work.
        public let idle: Int
        /// Threads that run something.
        public let working: Int
        /// Pieces of work that wait for a thread.
        public let queued: Int
        /// Pieces of work that have run to their end, by return or by throw.
        public let completed: Int
        /// Pieces of work that were taken back before they began.
        public let cancelled: Int
        /// Whether the pool takes no more work.
        public let isStopped: Bool

        /// `2 of 10 threads, 1 working, 0 queued, 17 completed, 3 cancelled`.
        public var description: String {
            """
            \(threads) of \(limit) threads, \(working) working, \(queued) queued, \(completed) completed, \
            \(cancelled) cancelled\(isStopped ? ", stopped" : "")
            """
        }
    }
}
