import CLinux
import Synchronization

extension Reactor {
    /// Whether the reactor runs: from the `during` phase of startup until `run()` returns. Any thread.
    public var isRunning: Bool {
        adoptIfForked()
        return phase.load(ordering: .acquiring).isRunning
    }

    /// Runs the loop on the calling thread until `stop()` or `crash()`.
    ///
    /// Fires `startup`, turns, and once stopped fires `shutdown`; see `addSystemEventTrigger`. Tasks, timers
    /// and descriptors stay where they are when it returns, and go on at the next `run()`.
    /// - Throws: `ReactorError` with code `alreadyRunning` when some thread already runs this reactor, or
    ///   when this thread already runs a reactor.
    public func run() throws(ReactorError) {
        try claim(.starting)
        defer { leave() }
        enter()
        ReactorActor.assumeIsolated { loopInTask() }
    }

    /// Runs the loop until `main` returns or throws, and hands on its outcome.
    ///
    /// `main` starts when the reactor has started up. `stop()` called before it has ended cancels it, and the
    /// `before` phase of shutdown lasts until it has.
    /// When `main` and everything else wait for each other, its wait ends with a `DeadlockError`.
    /// - Throws: what `main` throws, or `ReactorError` as `run()` does; `main` has not run then and never
    ///   will. `ReactorError` with code `crashed` when `crash()` ended the loop; `main` is cancelled then,
    ///   and ends when the reactor runs again.
    public func run<Value: Sendable>(
        until main: @escaping @Sendable @ReactorActor () async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) throws -> Value {
        // Before the task is made: on a reactor that runs already it would run there, and stop it.
        try claim(.starting)
        defer { leave() }
        let outcome = Outcome<Value>()
        let forks = clinux_fork_count()
        // While the thread is not yet the reactor's, so that it goes through the inbox, behind what waits
        // there.
        let task = startTask { [self] in
            do {
                // The task that runs this, so there is one.
                mainTask = (UInt(bitPattern: clinux_current_task()!), CallSite(file, line))
                defer { mainTask = nil }
                try await waitUntilRunning()
                outcome.result = .success(try await main())
            } catch {
                outcome.result = .failure(error)
            }
            if !outcome.isAbandoned { requestStop() }
        }
        let ticket = SystemEvents.Ticket()
        let site = CallSite(file, line)
        let trigger = systemEvents.add(.before, .shutdown, site: site, ticket: ticket) { [unowned self] in
            // It has ended already when its end is what stops the reactor: not a turn more is needed then.
            if outcome.result != nil { return ticket.onEnd(nil) }
            task.cancel()
            _ = startTask {
                await task.value
                ticket.onEnd(nil)
            }
        }
        defer { removeSystemEventTrigger(trigger) }
        enter()
        return try ReactorActor.assumeIsolated {
            loopInTask()
            if let result = outcome.result { return try result.get() }
            outcome.isAbandoned = true
            // In the child of a fork it is the parent's, and must not go on.
            if forks == clinux_fork_count() { task.cancel() }
            throw ReactorError(
                .crashed, "crash() ended run(until:) of \(file):\(line) before its main function had ended")
        }
    }

    /// Where the task of `run(until:)` leaves what came of it.
    @ReactorActor private final class Outcome<Value> {
        var result: Result<Value, any Error>?
        /// Nobody waits any more: the end of `main` must not stop a later run.
        var isAbandoned = false
        nonisolated init() {}
    }

    @ReactorActor private func waitUntilRunning() async throws {
        try Task.checkCancellation()
        guard !hasStarted else { return }
        let waiter = Waiter<Void>(on: self)
        whenRunning { waiter.resume(returning: ()) }
        try await waiter.wait()
    }

    /// Makes one turn of a reactor that nobody runs, on the calling thread: what is ready runs, due timers
    /// fire, then descriptors get `limit` at most to become ready. Returns when those that did were told.
    ///
    /// For a loop inside another's. No system event fires, `isRunning` stays false, and calls of
    /// `whenRunning` go on waiting.
    /// - Parameter limit: how long to wait for something to do; with a timer due before, until then.
    /// - Throws: `ReactorError` with code `alreadyRunning` as `run()`.
    public func iterate(for limit: Duration = .zero) throws(ReactorError) {
        try claim(.iterating)
        defer { leave() }
        enter()
        let forks = clinux_fork_count()
        ReactorActor.assumeIsolated { iterateInTask(for: max(.zero, limit)) }
        if forks != clinux_fork_count() { adopt() }
    }

    /// A turn, and the rest of its wait when a signal cuts it short.
    @ReactorActor private func turn(atMost limit: Duration) {
        let end = MonotonicClock().now.advanced(by: limit)
        _ = poller.takeInterruption()
        turn(waitingAtMost: limit)
        while limit > .zero, poller.takeInterruption() {
            turn(waitingAtMost: max(.zero, MonotonicClock().now.duration(to: end)))
        }
    }

    /// Asks a running reactor to shut down: `run()` returns when all triggers of shutdown are through. Any
    /// thread; never waits.
    ///
    /// The triggers fire later, from the loop. A `before` trigger that never ends holds the reactor up for
    /// ever, or until `crash()`. During startup the phases of it that have not begun are given up; their
    /// triggers and the calls of `whenRunning` stay for the next run. To ask before the reactor runs:
    /// `whenRunning { try reactor.stop() }`.
    /// - Throws: `ReactorError` with code `notRunning` when nobody runs the reactor, and when it stops
    ///   already.
    public func stop() throws(ReactorError) {
        switch requestStop() {
        case .starting, .running: return
        case .idle, .iterating:
            throw ReactorError(
                .notRunning,
                "stop() of a reactor that does not run; to ask beforehand use whenRunning { try reactor.stop() }"
            )
        case .stopRequested, .shuttingDown, .ended, .crashed:
            throw ReactorError(.notRunning, "stop() of a reactor that stops already")
        }
    }

    /// `stop()` for those to whom it is all the same whether somebody asked before. Returns the phase it met.
    @discardableResult
    func requestStop() -> RunPhase {
        adoptIfForked()
        let met = phase.move(from: [.starting, .running], to: .stopRequested)
        if met == .starting || met == .running { wake() }
        return met
    }

    /// Makes `run()` return at the end of the turn, without the triggers of shutdown. Any thread; never
    /// waits.
    ///
    /// For when shutting down itself hangs. Everything stays as it is, triggers included, and goes on at the
    /// next `run()`. Does nothing when nobody runs the reactor.
    public func crash() {
        adoptIfForked()
        phase.move(from: [.starting, .running, .stopRequested, .shuttingDown], to: .crashed)
        wake()
    }

    /// Makes a sleeping loop look at its clock and its inbox. Any thread; never waits.
    package func wake() { poller.wake() }

    // MARK: The thread

    /// Keeps the reactor for the calling thread, until `leave()`.
    private func claim(_ first: RunPhase) throws(ReactorError) {
        TaskLocals.prepare()
        adoptIfForked()
        if first == .starting { monitor.configure(configuration) }
        guard Self.ofThisThread == nil else {
            throw ReactorError(.alreadyRunning, "run() was called from inside a running reactor")
        }
        guard phase.move(from: [.idle], to: first) == .idle else {
            throw ReactorError(.alreadyRunning, "the reactor already runs on another thread")
        }
        threads.startPool()
        if first == .starting { threads.acceptCalls() }
    }

    /// Makes the calling thread the reactor's, until `leave()`; the caller of `run` holds the reactor as
    /// long.
    private func enter() {
        clinux_set_thread_reactor(Unmanaged.passUnretained(self).toOpaque())
        poller.beginUse()
    }

    private func leave() {
        poller.endUse()
        // While no other thread can run it: a new run accepts its own.
        threads.rejectCalls()
        endMonitor()
        clinux_set_thread_reactor(nil)
        phase.store(.idle, ordering: .releasing)
    }

    // MARK: Startup and shutdown

    /// The loop, inside a task of its own: whatever it calls (timers, descriptors' callbacks) then has a
    /// current task, on which task-local values are bound and found.
    @ReactorActor private func loopInTask() {
        TaskLocalSnapshot().run {
            clinux_find_current_task_word()
            loop()
        }
    }

    @ReactorActor private func iterateInTask(for limit: Duration) {
        TaskLocalSnapshot().run {
            clinux_find_current_task_word()
            turn(atMost: limit)
            onLeave?()
        }
    }

    @ReactorActor private func loop() {
        let forks = clinux_fork_count()
        runNumber += 1
        updateMonitor()
        configureReports()
        startUp()
        while true {
            // This is the child of a fork that came back to where its parent's loop called it.
            guard forks == clinux_fork_count() else { return adopt() }
            switch phase.load(ordering: .acquiring) {
            case .ended, .crashed:
                hasStarted = false
                endReports()
                onLeave?()
                return
            case .stopRequested:
                phase.move(from: [.stopRequested], to: .shuttingDown)
                shutDown()
            case .idle, .iterating, .starting, .running, .shuttingDown: turn()
            }
        }
    }

    @ReactorActor private func startUp() {
        let run = runNumber
        fire(.startup) { [self] next in
            // Given up by stop() or crash(); and what waited in an earlier run must not go on in this one.
            guard run == runNumber else { return false }
            switch next {
            case .before: return true
            case .during: return phase.move(from: [.starting], to: .running) == .starting
            case .after: return phase.load(ordering: .acquiring) == .running
            case nil:
                guard phase.load(ordering: .acquiring) == .running else { return false }
                hasStarted = true
                for call in startCalls { ready.append(.call(call)) }
                startCalls = []
                return true
            }
        }
    }

    @ReactorActor private func shutDown() {
        let run = runNumber
        fire(.shutdown) { [self] next in
            guard run == runNumber, phase.load(ordering: .acquiring) == .shuttingDown else { return false }
            switch next {
            case .before, .during: break
            case .after: threads.stopPool()
            case nil: phase.move(from: [.shuttingDown], to: .ended)
            }
            return true
        }
    }
}
