import CLinux
import Glibc
import Synchronization

/// The thread of a monitor: looks at the loop several times within the longest time that a step of it may take, and
/// sleeps for good when the loop does.
final class MonitorThread {
    private let monitor: ReactorMonitor
    private let run: Int
    private var last = Look()
    private var lastLookTime: Int64 = 0
    /// When the loop last showed something new: between these two.
    private var changedSince: Int64 = 0
    private var unchangedSince: Int64 = 0
    /// What the loop's thread had used of the processor by then.
    private var processorTime: Int64 = 0
    private var block: Block?
    private var memoryDue: Int64 = 0
    private var reportedMemory = 0
    private let sample = UnsafeMutablePointer<clinux_sample>.allocate(capacity: 1)

    private static let memoryPeriod: Int64 = 2_000_000_000

    private struct Look: Equatable {
        var busySince: Int64 = 0
        var progress: UInt64 = 0
    }

    private struct Block {
        let report: BlockReport
        let since: Int64
        let look: Look
    }

    private init(_ monitor: ReactorMonitor, run: Int) {
        self.monitor = monitor
        self.run = run
    }

    deinit { sample.deallocate() }

    /// Starts a thread for a run. Whether there is one.
    static func start(_ monitor: ReactorMonitor, run: Int) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        // The thread owns one reference.
        let body = Unmanaged.passRetained(MonitorThread(monitor, run: run))
        let code = pthread_create(
            &thread, &attributes,
            { argument in
                clinux_block_all_signals()
                clinux_name_thread("reactor-monitor")
                // passRetained above
                Unmanaged<MonitorThread>.fromOpaque(argument!).takeRetainedValue().watch()
                return nil
            }, body.toOpaque())
        if code != 0 { body.release() }
        return code == 0
    }

    private func watch() {
        monitor.send(.monitorStarted)
        while let settings = settings() {
            pause(settings)
            let now = clinux_monotonic_ns()
            callFunctions(at: now)
            checkMemory(settings.memoryLimit, at: now)
            look(settings.maxBlocking, at: now)
        }
    }

    private struct Settings {
        var maxBlocking: Int64?
        var memoryLimit: Int?
        var nextFunction: Int64?
    }

    /// Nil when this thread's run is over, or nobody wants to know anything any more.
    private func settings() -> Settings? {
        monitor.state.withLock { state in
            guard state.run?.number == run else { return nil }
            guard state.needsThread else {
                state.isWatched = false
                return nil
            }
            return Settings(
                maxBlocking: state.maxBlocking, memoryLimit: state.memoryLimit,
                nextFunction: state.functions.values.map(\.due).min())
        }
    }

    // MARK: Sleeping

    private func pause(_ settings: Settings) {
        let now = clinux_monotonic_ns()
        var due = settings.nextFunction
        if settings.memoryLimit != nil { due = min(due ?? .max, memoryDue) }
        let untilDue = due.map { max(0, $0 - now) }
        guard let maxBlocking = settings.maxBlocking else {
            return monitor.words.sleepUntilRung(firstNanoseconds: untilDue ?? -1, nanoseconds: 0)
        }
        let interval = min(max(maxBlocking / 4, 500_000), 250_000_000)
        if last.busySince == 0, block == nil {
            // The loop slept when we looked last. A short wait first: see sleepUntilRung.
            monitor.words.sleepUntilRung(
                firstNanoseconds: min(interval, untilDue ?? .max),
                nanoseconds: untilDue.map { max(0, $0 - interval) } ?? -1)
        } else {
            monitor.words.pause(nanoseconds: min(interval, untilDue ?? .max))
            // The process was stopped, or the machine starves this thread as it may starve the loop: of what was not seen,
            // half of the longest time counts at most.
            unchangedSince += max(0, clinux_monotonic_ns() - now - max(interval, maxBlocking / 2))
        }
    }

    // MARK: Looking

    private func look(_ maxBlocking: Int64?, at now: Int64) {
        let words = monitor.words
        let seen = Look(
            busySince: words.busySince.load(ordering: .relaxed),
            progress: words.progress.load(ordering: .relaxed))
        if let block, !words.isReported.load(ordering: .acquiring) || block.look != seen {
            self.block = nil
            let end = words.endedAt.load(ordering: .relaxed)
            let length = (end >= block.since ? end : now) - block.since
            monitor.send(.loopUnblocked(block.report.over(after: .nanoseconds(length))))
        }
        defer { lastLookTime = now }
        guard seen == last, seen.busySince != 0 else {
            // It may have changed right after the last look, or right before this one.
            changedSince = lastLookTime
            unchangedSince = now
            last = seen
            processorTime = usedProcessorTime() ?? 0
            return
        }
        guard block == nil, let maxBlocking, now - unchangedSince >= maxBlocking else { return }
        report(seen, maxBlocking)
    }

    private func usedProcessorTime() -> Int64? {
        monitor.state.withLock { $0.run?.number == run ? $0.run.map { clinux_clock_ns($0.clock) } : nil }
    }

    private func report(_ seen: Look, _ maxBlocking: Int64) {
        let task = monitor.words.running.load(ordering: .relaxed)
        let (thread, clock, label) = monitor.state.withLock { state -> (pid_t?, clockid_t, TaskLabel?) in
            // The run's end waits for the lock; the thread lives until then.
            guard let run = state.run, run.number == self.run, state.ignored[task] == nil else {
                return (nil, 0, nil)
            }
            return (run.thread, run.clock, state.labels[task])
        }
        guard let thread else { return }
        monitor.words.isReporting.store(true, ordering: .sequentiallyConsistent)
        defer { monitor.words.isReporting.store(false, ordering: .sequentiallyConsistent) }
        let result = clinux_sample_thread(thread, sample)
        let isRunning = sample.pointee.system_call == Int(CLINUX_RUNNING) && sample.pointee.fp != 0
        // Ready to run, and the machine does not let it: nothing of the program blocks the loop.
        if isRunning || result != 0, clinux_clock_ns(clock) - processorTime < maxBlocking / 2 { return }
        guard seen.progress == monitor.words.progress.load(ordering: .relaxed),
            seen.busySince == monitor.words.busySince.load(ordering: .relaxed)
        else { return }
        // From here on the loop notes the block's end; to find the names of functions may take a while.
        let duration = clinux_monotonic_ns() - max(seen.busySince, changedSince)
        monitor.words.endedAt.store(0, ordering: .relaxed)
        monitor.words.isReported.store(true, ordering: .releasing)
        let since = max(seen.busySince, changedSince)
        let frames = result == 0 ? namedFrames() : []
        let report = BlockReport(
            greenlet: label, operation: BlockingCalls.operation(of: frames),
            systemCall: isRunning ? nil : systemCallName, stack: frames,
            duration: .nanoseconds(duration), isOver: false)
        block = Block(report: report, since: since, look: seen)
        monitor.send(.loopBlocked(report))
    }

    /// One thread at a time: those of many loops would be in each other's way in the run-time library, and none would come to an
    /// end. Whose loop has ended while it waited has nothing to tell.
    private static let naming = Mutex(())

    private func namedFrames() -> [StackFrame] {
        Self.naming.withLock { _ in
            guard monitor.state.withLock({ $0.run?.number == self.run }) else { return [] }
            let map = MemoryMap()
            return Symbols.frames(StackWalk(sample: sample, map: map).addresses, map)
        }
    }

    private var systemCallName: String? {
        let number = sample.pointee.system_call
        guard number >= 0 else { return nil }
        return clinux_system_call_name(number).map { String(cString: $0) } ?? "\(number)"
    }

    // MARK: What others asked for

    private func callFunctions(at now: Int64) {
        let calls = monitor.state.withLock { state -> [@Sendable () -> Void] in
            var calls: [@Sendable () -> Void] = []
            for (number, entry) in state.functions.sorted(by: { $0.key < $1.key }) where entry.due <= now {
                // A new one waits for its first period.
                if entry.due > 0 { calls.append(entry.call) }
                state.functions[number]?.due = now + entry.period
            }
            return calls
        }
        for call in calls { call() }
    }

    private func checkMemory(_ limit: Int?, at now: Int64) {
        guard let limit, now >= memoryDue else { return }
        memoryDue = now + Self.memoryPeriod
        let bytes = clinux_resident_bytes()
        if bytes > limit {
            guard bytes > reportedMemory else { return }
            reportedMemory = bytes
            monitor.send(.memoryAboveLimit(bytes))
        } else if reportedMemory > 0 {
            reportedMemory = 0
            monitor.send(.memoryBelowLimit(bytes))
        }
    }
}
