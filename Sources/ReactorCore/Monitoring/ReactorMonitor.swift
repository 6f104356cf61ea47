import CLinux
import Logging
import Synchronization

/// Watches a reactor's loop from a thread of its own, and says what blocks it: Twisted's "which code blocks the loop?",
/// gevent's `PeriodicMonitoringThread`.
///
/// A loop is blocked when one step of it, a greenlet's or a callback's, takes longer than `maxBlockingTime`. The
/// report comes once a block and while it lasts, with the greenlet, where that was spawned, and the stack of the
/// thread; its length follows when it is over. Time that the thread spends waiting for a processor does not count,
/// nor do threads of pools.
///
/// On in debug builds, with a tenth of a second; the environment's `REACTOR_MAX_BLOCKING` (`0.25`, `100ms`, `off`)
/// sets it in any build. The thread runs as long as `run()` does, and sleeps while the loop sleeps. Any thread.
public final class ReactorMonitor: Sendable {
    let words = MonitorWords()
    let state = Mutex(State())

    /// What the thread and its users share.
    struct State {
        var maxBlocking: Int64?
        var isConfigured = false
        var onEvent: (@Sendable (ReactorEvent) -> Void)?
        var memoryLimit: Int?
        var functions: [UInt64: MonitoringFunction.Entry] = [:]
        var lastFunction: UInt64 = 0
        /// Greenlets by their tasks' addresses, while the loop is watched.
        var labels: [UInt: TaskLabel] = [:]
        /// Tasks that may block, and how often somebody said so; zero for the loop's own calls.
        var ignored: [UInt: Int] = [:]
        /// The run under way. The reactor is alive as long as it is here.
        var run: Run?
        var lastRun = 0
        /// Whether anybody ever asked for the reactor's `events`.
        var hasSubscribers = false
        /// Whether a thread watches the run.
        var isWatched = false

        var needsThread: Bool { maxBlocking != nil || memoryLimit != nil || !functions.isEmpty }
    }

    struct Run: @unchecked Sendable {  // the reference is used under the lock that ends the run
        let number: Int
        let reactor: Unmanaged<Reactor>
        let thread: pid_t
        let clock: clockid_t
    }

    init() {}

    // MARK: What is watched

    /// How long one step may take; nil when nobody watches.
    ///
    /// A block of half as much more is not missed, a shorter one never reported.
    /// - Precondition: at least a millisecond.
    public var maxBlockingTime: Duration? {
        get { state.withLock { $0.maxBlocking.map { .nanoseconds($0) } } }
        set {
            if let newValue {
                precondition(
                    newValue >= .milliseconds(1),
                    "maxBlockingTime \(newValue): at least a millisecond, or nil for no watch")
            }
            update {
                $0.maxBlocking = newValue?.wholeNanoseconds
                $0.isConfigured = true
            }
        }
    }

    /// Called with each event, on the monitor's thread, while a block lasts. Must not wait for the reactor.
    ///
    /// The default logs blocks and memory at level warning.
    public var onEvent: @Sendable (ReactorEvent) -> Void {
        get { state.withLock { $0.onEvent } ?? Self.log }
        set { state.withLock { $0.onEvent = newValue } }
    }

    /// Bytes of resident memory above which events are sent, while it grows; nil for no limit. Looked at every two
    /// seconds: a process with a limit is never quite idle.
    public var memoryLimit: Int? {
        get { state.withLock { $0.memoryLimit } }
        set { update { $0.memoryLimit = newValue } }
    }

    private static let logger = Logger(label: "reactor.monitor")

    @Sendable private static func log(_ event: ReactorEvent) {
        switch event {
        case .monitorStarted: break
        case .loopBlocked(let report), .loopUnblocked(let report): logger.warning("\(report)")
        case .memoryAboveLimit(let bytes):
            logger.warning("the process uses \(bytes) bytes of memory, above its limit")
        case .memoryBelowLimit(let bytes):
            logger.notice("the process uses \(bytes) bytes of memory, within its limit")
        }
    }

    /// Whether a block has been seen whose report is not sent yet. Any thread.
    package var isReporting: Bool { words.isReporting.load(ordering: .sequentiallyConsistent) }

    /// Changes what is watched, and has the loop and the thread take notice.
    func update(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            state.callReactor { $0.updateMonitor() }
        }
        // Not left to the loop, which may be blocked. A failure shows when the loop tries.
        _ = startThread()
        words.ring()
    }

    /// Starts the thread if there is something to watch and nobody does. Whether that is so now. Any thread.
    func startThread() -> Bool {
        let run = state.withLock { state -> Int? in
            guard let run = state.run, state.needsThread, !state.isWatched else { return nil }
            state.isWatched = true
            return run.number
        }
        guard let run, !MonitorThread.start(self, run: run) else { return true }
        state.withLock { if $0.run?.number == run { $0.isWatched = false } }
        return false
    }

    /// Sends an event, from the monitor's thread.
    func send(_ event: ReactorEvent) {
        onEvent(event)
        state.withLock { state in
            // Else the loop would be woken for nothing.
            if state.hasSubscribers { state.callReactor { $0.publish(event) } }
        }
    }
}

extension ReactorMonitor.State {
    /// Makes a call on the reactor, if it runs. Under the lock, for which the end of the run waits: the reactor lives, and
    /// this never has the last reference to it.
    fileprivate func callReactor(_ call: @escaping @Sendable @ReactorActor (Reactor) -> Void) {
        guard let reactor = run?.reactor.takeUnretainedValue() else { return }
        // Unowned, and without the caller's task-local values: a reactor must not hold itself by what waits in its inbox.
        let call: QueuedCall = { [unowned reactor] in call(reactor) }
        if reactor.inbox.put(.call(call, CallSite(#fileID, #line))) { reactor.wake() }
    }
}
