import CLinux
import Synchronization

extension ReactorMonitor {
    /// Does what the configuration says, unless somebody has said otherwise to the monitor itself.
    func configure(_ configuration: ReactorConfiguration) {
        guard state.withLock({ !$0.isConfigured }) else { return }
        let maxBlocking = configuration.maxBlockingTime
        state.withLock { state in
            guard !state.isConfigured else { return }
            state.isConfigured = true
            state.maxBlocking = maxBlocking?.wholeNanoseconds
        }
    }
}

extension Reactor {
    /// Makes the loop and the monitor's thread do what is asked of them now. In the loop of `run()`.
    @ReactorActor func updateMonitor() {
        let isWatched = monitor.state.withLock { state -> Bool in
            if state.run == nil {
                state.lastRun += 1
                state.run = ReactorMonitor.Run(
                    number: state.lastRun, reactor: .passUnretained(self), thread: clinux_thread_id(),
                    clock: clinux_thread_clock())
            }
            return state.maxBlocking != nil
        }
        if isWatched, !observation.contains(.monitor) {
            // For the sample of a thread that runs on a greenlet's small stack.
            _ = clinux_ensure_signal_stack()
            // Without a free signal, only threads that are blocked in the kernel can be looked at.
            _ = clinux_allow_samples()
            monitor.words.turnBegins(at: turnTime == 0 ? clinux_monotonic_ns() : turnTime)
            observation.insert(.monitor)
            label(identities())
        } else if !isWatched {
            observation.remove(.monitor)
            monitor.words.loopSleeps()
        }
        guard !monitor.startThread() else { return }
        onUncaughtError(
            ReactorError(.systemCall, "no thread could be started for the monitor"), "the reactor's monitor")
    }

    /// The thread leaves the loop.
    func endMonitor() {
        let run = monitor.state.withLock { state in
            defer {
                state.run = nil
                state.isWatched = false
                state.labels = [:]
                state.ignored = [:]
            }
            return state.run
        }
        guard run != nil else { return }
        observation.remove(.monitor)
        monitor.words.loopSleeps()
        monitor.words.ring()
    }

    // MARK: Whose code it is

    @ReactorActor private func label(_ identities: [TaskIdentity]) {
        monitor.state.withLock { state in
            for identity in identities {
                guard let task = identity.task else { continue }
                state.labels[task] = TaskLabel(
                    id: identity.id, name: identity.name, spawnSite: identity.spawnSite)
            }
        }
    }

    /// A greenlet begins in the current task.
    @ReactorActor package func observeBegin(_ label: @autoclosure () -> TaskLabel) {
        let task = UInt(bitPattern: clinux_current_task())
        accounts[task] = nil
        guard observation.contains(.monitor) else { return }
        let label = label()
        monitor.state.withLock { $0.labels[task] = label }
    }

    /// The greenlet of the current task ends.
    @ReactorActor package func observeEnd() {
        let task = UInt(bitPattern: clinux_current_task())
        accounts[task] = nil
        monitor.state.withLock {
            $0.labels[task] = nil
            $0.ignored[task] = nil
        }
    }

    /// The current task begins to do something for a greenlet whose own task is `task`.
    @ReactorActor package func observeRequest(
        of task: UnsafeMutableRawPointer?, _ label: @autoclosure () -> TaskLabel
    ) {
        let runner = UInt(bitPattern: clinux_current_task())
        if observation.contains(.accounting) { accountOwners[runner] = UInt(bitPattern: task) }
        guard observation.contains(.monitor) else { return }
        let label = label()
        monitor.state.withLock { $0.labels[runner] = label }
    }

    /// It has done it.
    @ReactorActor package func observeRequestEnd() {
        let runner = UInt(bitPattern: clinux_current_task())
        accountOwners[runner] = nil
        monitor.state.withLock { $0.labels[runner] = nil }
    }
}

extension ReactorMonitor {
    /// The task that the calling code counts as; zero for what the loop calls itself.
    @ReactorActor private var currentTask: UInt {
        let running = words.running.load(ordering: .relaxed)
        if running != 0 || Reactor.current.observation.contains(.monitor) { return running }
        return UInt(bitPattern: clinux_current_task())
    }

    @ReactorActor fileprivate func beginIgnoring() -> UInt {
        let task = currentTask
        state.withLock { $0.ignored[task, default: 0] += 1 }
        return task
    }

    @ReactorActor fileprivate func endIgnoring(_ task: UInt) {
        state.withLock { state in
            guard let count = state.ignored[task] else { return }
            state.ignored[task] = count > 1 ? count - 1 : nil
        }
    }

    /// Reports no blocks of the calling greenlet any more, until `monitorCurrentGreenlet()` or its end. Reactor only;
    /// calls are counted. Outside any greenlet: of what the loop calls itself, delayed calls and callbacks. gevent's
    /// `ignore_current_greenlet_blocking`.
    @ReactorActor public func ignoreCurrentGreenlet() { _ = beginIgnoring() }

    /// Takes one `ignoreCurrentGreenlet()` back. Does nothing without one.
    @ReactorActor public func monitorCurrentGreenlet() { endIgnoring(currentTask) }
}

/// Runs `body`, whose blocks the monitor does not report: start-up work, a library that cannot be helped. Reactor only.
///
/// - Throws: what `body` throws.
@ReactorActor public func withoutMonitoring<Value>(_ body: @ReactorActor () throws -> Value) rethrows -> Value
{
    let monitor = Reactor.current.monitor
    let task = monitor.beginIgnoring()
    defer { monitor.endIgnoring(task) }
    return try body()
}

/// As the synchronous form; only steps of the calling task count, not of those that run while it waits.
@ReactorActor public func withoutMonitoring<Value>(_ body: @ReactorActor () async throws -> Value)
    async rethrows -> Value
{
    let monitor = Reactor.current.monitor
    let task = monitor.beginIgnoring()
    defer { monitor.endIgnoring(task) }
    return try await body()
}
