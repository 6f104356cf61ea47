import CLinux
import DequeModule
import Glibc
import Synchronization

/// Worker threads for calls that block and cannot be made to park: `getaddrinfo`, `PQcancel`, a file on a
/// slow disk.
///
/// Starts with no thread and grows on demand to `limit`; a thread without work ends after `idleTimeout`. Work
/// starts in the order it was handed in. Safe from any thread. Workers take no signals but SIGPROF.
public final class ThreadPool: Sendable {
    /// The most threads at once.
    public let limit: Int
    private let core: Core

    /// Makes a pool; no thread is started.
    ///
    /// - Parameters:
    ///   - limit: the most threads at once, at least one.
    ///   - idleTimeout: how long a thread without work stays.
    public init(limit: Int, idleTimeout: Duration = .seconds(5)) {
        precondition(limit > 0, "ThreadPool(limit: \(limit)): at least one thread is needed")
        self.limit = limit
        self.core = Core(limit: limit, idleNanoseconds: idleTimeout.wholeNanoseconds)
    }

    deinit { core.stop() }

    /// How many threads exist now.
    public var threadCount: Int { core.withLock { core.threads } }

    /// How many pieces of work wait for a thread.
    public var queuedCount: Int { core.withLock { core.queue.count } }

    /// Queues `work`; it runs on a worker thread. Never waits.
    ///
    /// - Throws: `ReactorError` with code `threadPoolStopped` after `stop()`, or `systemCall` when no thread
    ///   could be started.
    public func submit(_ work: @escaping @Sendable () -> Void) throws(ReactorError) {
        try core.submit(work)
    }

    /// Runs `work` on a worker thread; the calling task parks until it is done.
    ///
    /// Cancelled while queued, the work is never run and this throws at once. Work that has begun cannot be
    /// stopped; the wait ends, the work goes on, and its outcome is dropped. So `work` must own everything it
    /// uses.
    /// - Throws: what `work` throws; `CancellationError`; `ReactorError` with code `threadPoolStopped`.
    @ReactorActor public func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try Task.checkCancellation()
        let reactor = Reactor.current
        let waiter = Waiter<Value>(on: reactor)
        let ticket = Ticket()
        try submit {
            guard ticket.claim() else { return }
            let result = Result { try work() }
            reactor.callFromThread {
                switch result {
                case .success(let value): waiter.resume(returning: value)
                case .failure(let error): waiter.resume(throwing: error)
                }
            }
        }
        defer { ticket.abandon() }
        return try await waiter.wait()
    }

    /// Takes no more work, lets queued and running work finish, and ends the threads. Never waits.
    public func stop() { core.stop() }
}

extension ThreadPool {
    /// What the worker threads share. It outlives the pool object until the last of them has ended.
    final class Core: @unchecked Sendable {  // every stored variable is used under `mutex`
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let workArrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
        private let limit: Int
        private let idleNanoseconds: Int64
        private(set) var threads = 0
        private(set) var queue = Deque<@Sendable () -> Void>()
        private var idle = 0
        private var isStopped = false

        init(limit: Int, idleNanoseconds: Int64) {
            self.limit = limit
            self.idleNanoseconds = idleNanoseconds
            pthread_mutex_init(mutex, nil)
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            pthread_cond_init(workArrived, &attributes)
            pthread_condattr_destroy(&attributes)
        }

        deinit {
            pthread_cond_destroy(workArrived)
            pthread_mutex_destroy(mutex)
            workArrived.deallocate()
            mutex.deallocate()
        }

        func withLock<Value>(_ body: () -> Value) -> Value {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return body()
        }

        func submit(_ work: @escaping @Sendable () -> Void) throws(ReactorError) {
            let failure: ReactorError? = withLock {
                if isStopped { return ReactorError(.threadPoolStopped, "the thread pool has been stopped") }
                queue.append(work)
                if idle >= queue.count {
                    pthread_cond_signal(workArrived)
                } else if threads < limit {
                    let code = startThread()
                    if code != 0, threads == 0 {
                        queue.removeLast()
                        return ReactorError(
                            .systemCall, "no worker thread could be started: \(errnoText(code))", errno: code)
                    }
                }
                return nil
            }
            if let failure { throw failure }
        }

        func stop() {
            withLock {
                isStopped = true
                _ = pthread_cond_broadcast(workArrived)
            }
        }

        private func startThread() -> Int32 {
            var attributes = pthread_attr_t()
            pthread_attr_init(&attributes)
            defer { pthread_attr_destroy(&attributes) }
            pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
            var thread = pthread_t()
            // The thread owns one reference to the core and gives it up when it ends.
            let core = Unmanaged.passRetained(self)
            let code = pthread_create(
                &thread, &attributes,
                { argument in
                    clinux_block_all_signals()
                    Unmanaged<Core>.fromOpaque(argument!).takeRetainedValue().work()  // passRetained above
                    return nil
                }, core.toOpaque())
            if code == 0 { threads += 1 } else { core.release() }
            return code
        }

        /// A worker's life: take, run, repeat; end when stopped and drained, or idle for too long.
        private func work() {
            while let work = next() { work() }
        }

        private func next() -> (@Sendable () -> Void)? {
            withLock {
                let (sum, isForever) = clinux_monotonic_ns().addingReportingOverflow(idleNanoseconds)
                let deadline = isForever ? .max : sum
                var limit = timespec(
                    tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
                while queue.isEmpty, !isStopped {
                    idle += 1
                    let code = pthread_cond_timedwait(workArrived, mutex, &limit)
                    idle -= 1
                    if code == ETIMEDOUT, queue.isEmpty { break }
                }
                if let work = queue.popFirst() { return work }
                threads -= 1
                return nil
            }
        }
    }

    /// Decides between a worker that starts a piece of work and a waiter that gives it up.
    private final class Ticket: Sendable {
        private let isTaken = Atomic<Bool>(false)
        func claim() -> Bool { !isTaken.exchange(true, ordering: .acquiringAndReleasing) }
        func abandon() { isTaken.store(true, ordering: .releasing) }
    }
}
