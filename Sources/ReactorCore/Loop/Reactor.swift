public import Logging
import CLinux
import DequeModule
import Synchronization

/// The reactor of the calling thread, or the process's shared one: Twisted's
/// `from twisted.internet import reactor`.
public var reactor: Reactor { Reactor.current }

/// One thread, one loop, and every task, timer and descriptor that lives on it.
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
/// **fork.** In the child of a `fork(2)` a reactor is empty and does not run: none of the parent's greenlets, timers, descriptors and
/// calls goes on there, the parent notices nothing, and the thread that forked runs no reactor. The child may call `run()` or
/// `run(until:)` at once, wherever it forked. When it returns to where its parent's loop had called it, that loop ends: `run()`
/// returns, `run(until:)` throws `crashed`. What holds for every child of a process with threads holds here: only the thread that
/// forked exists, and a lock that another held then, in the Swift runtime or elsewhere, stays locked. A child that soon calls exec or
/// `_exit` pays a few system calls.
///
/// Doors for foreign threads: `callFromThread`, `whenRunning`, `stop`, `crash`, `addSystemEventTrigger` and
/// its opposite, the executor's own `enqueue`, and whatever is `async`. Everything else is `@ReactorActor`.
public final class Reactor: SerialExecutor, TaskExecutor {
    /// The process's default reactor. It runs where and when somebody calls `run()` on it.
    public static let shared = Reactor()

    private let ownConfiguration: ReactorConfiguration?
    /// What it goes by: what it was made with, else `ReactorConfiguration.current`. Any thread.
    public var configuration: ReactorConfiguration { ownConfiguration ?? .current }

    let poller: Poller
    let inbox = Inbox()
    package let clock: any ReactorClock
    let phase = Atomic<RunPhase>(.idle)
    // Unsafe: new ones are put in their places in the child of a fork only, by the one thread it has; see `adopt`.
    nonisolated(unsafe) var systemEvents = SystemEvents()
    nonisolated(unsafe) var threads = ReactorThreads()
    /// The forks between the program's start and the process that this reactor was last used in.
    let forkCount = Atomic<UInt32>(clinux_fork_count())

    /// What is ready to run, first come first served. Unsafe: touched only by the thread that runs the loop.
    @exclusivity(unchecked) nonisolated(unsafe) var ready = Deque<ReadyItem>()
    /// The most that a turn has left there since the queue last gave back memory. Unsafe: as `ready`.
    @exclusivity(unchecked) nonisolated(unsafe) var readyPeak = 0

    /// What timers have made ready, which runs right after them: a task that sleeps is as punctual as a delayed call,
    /// however much else is ready. Unsafe: as `ready`.
    @exclusivity(unchecked) nonisolated(unsafe) var due = Deque<ReadyItem>()
    /// It has held many since its memory was last given back. Unsafe: as `ready`.
    @exclusivity(unchecked) nonisolated(unsafe) var isDueLarge = false

    /// How many jobs and calls are to run. Of the reactor's thread.
    var readyCount: Int { ready.count + due.count }

    /// Set while a yielded task is being resumed: its job is then run at once instead of queued a second
    /// time. Unsafe: as `ready`.
    @exclusivity(unchecked) nonisolated(unsafe) var resumedJob = ResumedJob.none

    enum ReadyItem {
        case job(UnownedJob)
        case yielded(UnsafeContinuation<Void, Never>)
        /// A fiber that is to go on. Whoever drives it holds it.
        case fiber(UnsafeMutablePointer<clinux_resumable>)
        case call(Inbox.Node)
        /// Notes that the task before it has given way, and lets the loop begin another turn.
        case probe(SwitchWatch)
    }

    enum ResumedJob {
        case none
        case expected
        case arrived(UnownedJob)
    }

    /// Which call of `run()` is on, and whether it has started up.
    @ReactorActor var runNumber = 0
    @ReactorActor var hasStarted = false
    /// Calls of `whenRunning` that came before that.
    @ReactorActor var startCalls: [Inbox.Node] = []
    /// Custom events that are being fired, and how often each was fired anew meanwhile.
    @ReactorActor var firingAgain: [SystemEvent: Int] = [:]

    /// Watches the loop; see there what is watched.
    public var monitor: ReactorMonitor { currentMonitor }
    // Unsafe: as `systemEvents`.
    nonisolated(unsafe) var currentMonitor = ReactorMonitor()
    /// What is seen of jobs as they run. Unsafe: as `ready`.
    @exclusivity(unchecked) nonisolated(unsafe) var observation = Observation()
    /// Whether anything is. For other modules, in which `@exclusivity(unchecked)` of a variable counts for nothing.
    package var isObserved: Bool { !observation.isEmpty }
    /// What writes dumps when the environment's signal arrives.
    @ReactorActor var dumpHandler: SignalHandler?
    @ReactorActor var eventSubscribers: [ReactorEvents.Subscriber] = []
    @ReactorActor var accounts: [UInt: TaskAccount] = [:]
    /// On whose account other tasks than a greenlet's own work.
    @ReactorActor var accountOwners: [UInt: UInt] = [:]
    @ReactorActor var switchWatches: [SwitchWatch] = []

    /// See `parkedLatches`. Unsafe: touched by reactor code only, and by deinit.
    nonisolated(unsafe) let parkedTasks = makeParkedTasks()
    /// Tasks that `startTask` has started and that have not ended, by address.
    @ReactorActor var attachedTasks: Set<UInt> = []
    /// The task of the main function of `run(until:)`, and where that was called.
    @ReactorActor var mainTask: (address: UInt, site: CallSite)?
    let externalWakerCount = Atomic(0)
    @ReactorActor var deadlockSearch = DeadlockSearch()
    /// How long everything must have waited for everything before that is called a deadlock, in real time; nil for never.
    ///
    /// One second unless changed: what happens elsewhere unannounced gets that long to show up. See `DeadlockError` and
    /// `externalWaker()`.
    @ReactorActor public var deadlockPatience: Duration? = .seconds(1)
    /// The clock of the system when the turn began, in nanoseconds: what "since" means in reports. Unsafe: as `ready`.
    @exclusivity(unchecked) nonisolated(unsafe) package internal(set) var turnTime: Int64 = 0

    /// Who waits for the loop to have nothing to do; nil while nobody does. Unsafe: as `ready`.
    @exclusivity(unchecked) nonisolated(unsafe) var idleWaiters: ParkingLine?

    /// How many turns the loop has made: an idle one makes none.
    @ReactorActor package internal(set) var turnCount: UInt64 = 0

    /// How many jobs and calls the loop has run.
    @ReactorActor package internal(set) var jobCount = 0

    /// Unsafe: touched by reactor code only, and by deinit.
    nonisolated(unsafe) let timers: UnsafeMutablePointer<TimerQueue>
    @ReactorActor var descriptors = DescriptorTable()
    @ReactorActor var signalSource: SignalSource?
    @ReactorActor var files = FileState()
    @ReactorActor var cooperatorStorage: Cooperator?
    @ReactorActor var installedResolver: (any Resolver)?

    /// Where errors go that no caller can receive: a timer's, a callback's, a greenlet's that nobody joins.
    ///
    /// The default logs them at level error with their site. Must not block.
    @ReactorActor public var onUncaughtError: @ReactorActor (_ error: any Error, _ context: String) -> Void

    /// Called as the thread is about to leave the loop, while the loop's code still may run tasks.
    @ReactorActor package var onLeave: (@ReactorActor () -> Void)?

    /// What goes on with fibers: the registry of Greenlets. Unsafe: it is held below, or was for the rest of the process.
    @ReactorActor @exclusivity(unchecked) package unowned(unsafe) var fiberResumer: (any FiberResumer)?

    /// What Greenlets keeps per reactor.
    @ReactorActor package var greenletRegistry: AnyObject? {
        get { keptForGreenlets }
        set { keptForGreenlets = newValue }
    }
    // Apart, for in other modules the attribute of a variable counts for nothing.
    @ReactorActor @exclusivity(unchecked) private var keptForGreenlets: AnyObject?

    /// Makes a reactor with a loop of its own, on the backend that `Backend.automatic` means. It does nothing until
    /// `run()`.
    ///
    /// - Parameters:
    ///   - clock: time for timers and deadlines; tests pass a manual one.
    ///   - logger: where uncaught errors are written.
    public convenience init(
        clock: any ReactorClock = MonotonicClock(), logger: Logger = Logger(label: "reactor")
    ) {
        self.init(
            poller: Backend.automaticPoller(ReactorConfiguration.current.backend, logger), configuration: nil,
            clock: clock, logger: logger)
    }

    /// Makes a reactor that goes by a configuration of its own, whatever `ReactorConfiguration.current` says.
    public convenience init(
        configuration: ReactorConfiguration, clock: any ReactorClock = MonotonicClock(),
        logger: Logger = Logger(label: "reactor")
    ) {
        self.init(
            poller: Backend.automaticPoller(configuration.backend, logger), configuration: configuration,
            clock: clock, logger: logger)
    }

    /// Makes a reactor on a backend of the caller's choice. Never falls back to another, but for `.automatic`.
    ///
    /// - Throws: `ReactorError` with code `backendUnavailable` when the kernel refuses the backend (the message says
    ///   why), or `systemCall` when there are no descriptors for it.
    public convenience init(
        backend: Backend, clock: any ReactorClock = MonotonicClock(),
        logger: Logger = Logger(label: "reactor")
    ) throws(ReactorError) {
        let poller =
            backend == .automatic
            ? Backend.automaticPoller(ReactorConfiguration.current.backend, logger) : try Poller(backend)
        self.init(poller: poller, configuration: nil, clock: clock, logger: logger)
    }

    private init(
        poller: Poller, configuration: ReactorConfiguration?, clock: any ReactorClock, logger: Logger
    ) {
        ownConfiguration = configuration
        self.clock = clock
        self.timers = TimerQueue.make(clock: clock)
        self.poller = poller
        self.onUncaughtError = { error, context in
            logger.error("Unhandled error in \(context): \(error)")
        }
        Self.known.withLock { _ = $0.insert(address) }
    }

    deinit {
        Self.known.withLock { _ = $0.remove(address) }
        TimerQueue.destroy(timers)
        // Empty: what is parked here holds its reactor.
        parkedTasks.deallocate()
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

    /// Whether the calling thread runs some reactor. Any thread.
    package static var isOnAnyReactorThread: Bool { clinux_get_thread_reactor() != nil }

    /// Whether the calling thread is the one that runs this reactor. Any thread.
    public var isOnReactorThread: Bool {
        // Compares addresses only.
        clinux_get_thread_reactor() == Unmanaged.passUnretained(self).toOpaque()
    }

    /// Only compared.
    private var address: UInt { UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()) }

    /// Where reactors are. No weak references: an object that ever had one is slower to retain for the rest of its life.
    private static let known = Mutex<Set<UInt>>([])

    /// The reactor that `executor` is, if it is one. The caller holds the executor, as a running task holds the one it
    /// prefers.
    static func withTaskExecutor(_ executor: UnownedTaskExecutor) -> Reactor? {
        // An executor is its object and the conformance.
        let object = unsafeBitCast(executor, to: (object: UInt, conformance: UInt).self).object
        guard known.withLock({ $0.contains(object) }), let pointer = UnsafeRawPointer(bitPattern: object)
        else { return nil }
        // The address is that of a reactor, which the caller holds.
        let reactor = Unmanaged<Reactor>.fromOpaque(pointer).takeUnretainedValue()
        return reactor.asUnownedTaskExecutor() == executor ? reactor : nil
    }
}

/// Carries a value across a `Sendable` check where the surrounding code proves that one thread at a time uses
/// it.
package struct UncheckedBox<Value>: @unchecked Sendable {  // see the type's description: each use says why
    package let value: Value
    package init(_ value: Value) { self.value = value }
}
