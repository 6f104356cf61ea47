public import Logging
import CLinux
import DequeModule
import Synchronization

/// The reactor of the calling thread, or the process's shared one: Twisted's
/// `from twisted.internet import reactor`.
public var reactor: Reactor { Reactor.current }

/// One thread, one epoll loop, and every task, timer and descriptor that lives on it.
///
/// A reactor is both a serial executor (of `ReactorActor`) and a task executor, so Swift tasks started on it
/// run, suspend and resume there: they are the green threads. `run()` turns the calling thread into the
/// reactor's thread until `stop()`; a stopped reactor can run again.
///
/// ```swift
/// try Reactor.shared.run(until: {
///     reactor.callLater(.seconds(1)) { print("one second later") }
///     try await reactor.sleep(for: .seconds(2))
/// })
/// ```
///
/// Doors for foreign threads: `callFromThread`, `stop`, `wake`, the executor's own `enqueue`, and whatever is
/// `async`. Everything else is `@ReactorActor`.
public final class Reactor: SerialExecutor, TaskExecutor {
    /// The process's default reactor. It runs where and when somebody calls `run()` on it.
    public static let shared = Reactor()

    let poller: Poller
    let inbox = Inbox()
    let clock: any ReactorClock
    private let stopRequested = Atomic<Bool>(false)
    private let running = Atomic<Bool>(false)

    /// What is ready to run, first come first served. Unsafe: touched only by the thread that runs the loop.
    nonisolated(unsafe) var ready = Deque<ReadyItem>()

    /// Set while a yielded task is being resumed: its job is then run at once instead of queued a second
    /// time. Unsafe: as `ready`.
    nonisolated(unsafe) var resumedJob = ResumedJob.none

    enum ReadyItem {
        case job(UnownedJob)
        case yielded(UnsafeContinuation<Void, Never>)
    }

    enum ResumedJob {
        case none
        case expected
        case arrived(UnownedJob)
    }

    @ReactorActor var timers = TimerQueue()
    @ReactorActor var descriptors = DescriptorTable()
    @ReactorActor var signalSource: SignalSource?
    @ReactorActor private var threadPoolStorage: ThreadPool?

    /// Where errors go that no caller can receive: a timer's, a callback's, a greenlet's that nobody joins.
    ///
    /// The default logs them at level error with their site. Must not block.
    @ReactorActor public var onUncaughtError: @ReactorActor (_ error: any Error, _ context: String) -> Void

    /// Things that upper layers keep per reactor (stack caches, registries), by their type.
    @ReactorActor package var attachments: [ObjectIdentifier: AnyObject] = [:]

    /// Makes a reactor with a loop of its own. It does nothing until `run()`.
    ///
    /// - Parameters:
    ///   - clock: time for timers and deadlines; tests pass a manual one.
    ///   - logger: where uncaught errors are written.
    public init(clock: any ReactorClock = MonotonicClock(), logger: Logger = Logger(label: "reactor")) {
        self.clock = clock
        self.poller = Poller()
        self.onUncaughtError = { error, context in
            logger.error("Unhandled error in \(context): \(error)")
        }
        let entry = WeakReactor(self)
        Self.registry.withLock { $0[entry.address] = entry }
    }

    deinit {
        // Only the address, as a key.
        let address = Unmanaged.passUnretained(self).toOpaque()
        Self.registry.withLock { $0[UInt(bitPattern: address)] = nil }
    }

    // MARK: Which reactor

    /// The reactor whose thread is the calling one, else the shared one. Any thread.
    public static var current: Reactor { ofThisThread ?? shared }

    /// The reactor whose thread is the calling one.
    static var ofThisThread: Reactor? {
        guard let pointer = clinux_get_thread_reactor() else { return nil }
        // The thread-local is set only while run() holds the reactor alive.
        return Unmanaged<Reactor>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// Whether the calling thread is the one that runs this reactor. Any thread.
    public var isOnReactorThread: Bool {
        // Compares addresses only.
        clinux_get_thread_reactor() == Unmanaged.passUnretained(self).toOpaque()
    }

    private struct WeakReactor {
        let address: UInt
        let executor: UnownedTaskExecutor
        weak var reactor: Reactor?

        init(_ reactor: Reactor) {
            // Only the address, as a key.
            address = UInt(bitPattern: Unmanaged.passUnretained(reactor).toOpaque())
            executor = reactor.asUnownedTaskExecutor()
            self.reactor = reactor
        }
    }

    /// Every reactor there is. A reference taken under the lock must leave it alive: were it the last one,
    /// the reactor would end there and ask for the lock again. So none is taken but the one that is returned.
    private static let registry = Mutex<[UInt: WeakReactor]>([:])

    static func withTaskExecutor(_ executor: UnownedTaskExecutor) -> Reactor? {
        registry.withLock { known in known.values.first { $0.executor == executor }?.reactor }
    }

    // MARK: Run and stop

    /// Whether some thread is inside `run()`. Any thread.
    public var isRunning: Bool { running.load(ordering: .acquiring) }

    /// Runs the loop on the calling thread until `stop()`; returns when the turn in which it was asked for
    /// ends.
    ///
    /// Tasks, timers and descriptors stay where they are and go on at the next `run()`.
    /// - Throws: `ReactorError` with code `alreadyRunning` when some thread already runs this reactor, or
    ///   when this thread already runs a reactor.
    public func run() throws(ReactorError) {
        try claim()
        clinux_set_thread_reactor(Unmanaged.passUnretained(self).toOpaque())
        ReactorActor.assumeIsolated { loopInTask() }
        leave()
    }

    /// Keeps the reactor for the calling thread, until `leave()`.
    private func claim() throws(ReactorError) {
        TaskLocals.prepare()
        guard Self.ofThisThread == nil else {
            throw ReactorError(.alreadyRunning, "run() was called from inside a running reactor")
        }
        guard
            running.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing)
                .exchanged
        else {
            throw ReactorError(.alreadyRunning, "the reactor already runs on another thread")
        }
    }

    private func leave() {
        clinux_set_thread_reactor(nil)
        stopRequested.store(false, ordering: .releasing)
        running.store(false, ordering: .releasing)
    }

    /// Runs the loop until `main` returns or throws, and hands on its outcome.
    ///
    /// `stop()` called meanwhile ends the wait for `main`: it is cancelled, and the loop goes on until it has
    /// ended.
    /// - Throws: what `main` throws, or `ReactorError` as `run()` does; `main` has not run then and never
    ///   will.
    public func run<Value: Sendable>(
        until main: @escaping @Sendable @ReactorActor () async throws -> Value
    ) throws -> Value {
        // Before the task is made: on a reactor that runs already it would run there, and stop it.
        try claim()
        defer { leave() }
        let outcome = Outcome<Value>()
        // While the thread is not yet the reactor's, so that it goes through the inbox, behind what waits
        // there.
        let task = startTask { [self] in
            do { outcome.result = .success(try await main()) } catch { outcome.result = .failure(error) }
            stop()
        }
        // Taken back when the loop ends; until then this call holds the reactor.
        clinux_set_thread_reactor(Unmanaged.passUnretained(self).toOpaque())
        return try ReactorActor.assumeIsolated {
            while true {
                loopInTask()
                if let result = outcome.result { return try result.get() }
                stopRequested.store(false, ordering: .releasing)
                task.cancel()
            }
        }
    }

    /// Where the task of `run(until:)` leaves what came of it.
    @ReactorActor private final class Outcome<Value> {
        var result: Result<Value, any Error>?
        nonisolated init() {}
    }

    /// Asks the loop to return from `run()` at the end of its turn. Any thread; never waits.
    ///
    /// Asked for before `run()`, it is remembered: that run makes one turn and returns.
    public func stop() {
        stopRequested.store(true, ordering: .releasing)
        wake()
    }

    /// Makes a sleeping loop look at its clock and its inbox. Any thread; never waits.
    package func wake() { poller.wake() }

    // MARK: The loop

    /// The loop, inside a task of its own: whatever it calls (timers, descriptors' callbacks) then has a current task,
    /// on which task-local values are bound and found.
    @ReactorActor private func loopInTask() {
        TaskLocalSnapshot().run { loop() }
    }

    /// One turn: what is ready (bounded), the inbox, due timers, then epoll. See DESIGN §3.
    @ReactorActor private func loop() {
        repeat {
            runReadyJobs()
            receiveInbox()
            fireTimers()
            poll()
        } while !stopRequested.load(ordering: .acquiring)
    }

    /// Runs jobs for a few milliseconds at most: a green thread that yields in a tight loop keeps the queue
    /// full for ever, and must not keep descriptors and timers waiting.
    @ReactorActor private func runReadyJobs() {
        guard !ready.isEmpty else { return }
        let serial = asUnownedSerialExecutor()
        let task = asUnownedTaskExecutor()
        let deadline = clinux_monotonic_ns() + 2_000_000
        while true {
            for _ in 0..<64 {
                switch ready.popFirst() {
                case nil: return
                case .job(let job): job.runSynchronously(isolatedTo: serial, taskExecutor: task)
                case .yielded(let continuation):
                    resumedJob = .expected
                    continuation.resume()
                    if case .arrived(let job) = resumedJob {
                        resumedJob = .none
                        job.runSynchronously(isolatedTo: serial, taskExecutor: task)
                    }
                    resumedJob = .none
                }
            }
            if clinux_monotonic_ns() >= deadline { return }
        }
    }

    @ReactorActor private func receiveInbox() {
        guard inbox.mayHaveItems else { return }
        for item in inbox.take() {
            switch item {
            case .job(let job): ready.append(.job(job))
            case .call(let call): attempt("a call from another thread", call)
            }
        }
    }

    @ReactorActor private func poll() {
        let timeout: Int64
        if !ready.isEmpty || inbox.mayHaveItems || stopRequested.load(ordering: .acquiring) {
            timeout = 0
        } else if let wait = clock.idle(until: timers.nextDeadline) {
            timeout = max(0, wait.wholeNanoseconds)
        } else {
            timeout = -1
        }
        poller.wait(timeoutNanoseconds: timeout) { event in dispatch(event) }
    }

    /// Runs user code that the loop itself calls; an error goes to `onUncaughtError` and the loop goes on.
    @ReactorActor package func attempt(
        _ context: @autoclosure () -> String, _ body: @ReactorActor () throws -> Void
    ) {
        do { try body() } catch { onUncaughtError(error, context()) }
    }

    // MARK: Threads

    /// Worker threads for calls that block and cannot be made to park: made on first use, ten at most.
    @ReactorActor public var threadPool: ThreadPool {
        if let pool = threadPoolStorage { return pool }
        let pool = ThreadPool(limit: 10)
        threadPoolStorage = pool
        return pool
    }
}

/// Carries a value across a `Sendable` check where the surrounding code proves that one thread at a time uses
/// it.
package struct UncheckedBox<Value>: @unchecked Sendable {  // see the type's description: each use says why
    package let value: Value
    package init(_ value: Value) { self.value = value }
}
