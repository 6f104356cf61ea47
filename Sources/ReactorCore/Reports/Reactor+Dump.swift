import CLinux
import Glibc
import Synchronization

extension Reactor {
    /// What is going on now. Reactor only; never waits.
    ///
    /// - Complexity: O(n log n) in greenlets, tasks and timers, and a system call for each greenlet with a stack of
    ///   its own.
    @ReactorActor public func dump() -> ReactorDump {
        let now = clinux_monotonic_ns()
        let readyTasks = Set(ready.compactMap(\.task) + due.compactMap(\.task))
        let running = UInt(bitPattern: clinux_current_task())
        var latches: [UInt: Latch] = [:]
        for latch in parkedLatches {
            // Every parked latch has one.
            latches[UInt(bitPattern: latch.task!)] = latch
        }
        let waitingTime = { (latch: Latch) in Duration.milliseconds((now - latch.parkedSince) / 1_000_000) }
        let greenlets = identities(withStacks: true).map { identity in
            let latch = identity.waitingTask.flatMap { latches.removeValue(forKey: $0) }
            let account = identity.task.flatMap { accounts[$0] }
            let state: GreenletReport.State =
                !identity.isStarted
                ? .pending
                : identity.task == running || identity.waitingTask == running
                    ? .running
                    : latch != nil
                        ? .parked
                        : identity.waitingTask.map(readyTasks.contains) == true ? .ready : .suspended
            return GreenletReport(
                id: identity.id, name: identity.name, parentID: identity.parentID,
                spawnLocation: identity.spawnSite.description, isSynchronous: identity.isSynchronous,
                state: state,
                waitsFor: latch?.reason.description, waitingTime: latch.map(waitingTime),
                switchCount: isAccounting ? account?.runCount ?? 0 : identity.parkCount,
                processorTime: isAccounting ? .nanoseconds(account?.processorTime ?? 0) : nil,
                stack: identity.stack)
        }
        let others = parkedLatches.filter { latches[UInt(bitPattern: $0.task!)] != nil }  // as above
        return ReactorDump(
            greenlets: greenlets,
            tasks: others.map { latch in
                ReactorDump.Task(
                    isMain: latch.task.map { UInt(bitPattern: $0) } == mainTask?.address,
                    waitsFor: latch.reason.description, waitingTime: waitingTime(latch))
            },
            timers: delayedCalls.map {
                ReactorDump.Timer(dueIn: self.now.duration(to: $0.deadline), location: "\($0.site)")
            },
            descriptors: watchedDescriptors.map { fd in
                let entry = descriptors[fd]
                return ReactorDump.Descriptor(
                    fd: fd, reader: entry.reader?.watcherText, writer: entry.writer?.watcherText)
            },
            threadPool: threadPool.statistics, readyCount: readyCount, turnCount: turnCount,
            jobCount: jobCount,
            isAccounting: isAccounting, externalWakerCount: externalWakerCount.load(ordering: .relaxed))
    }

    /// Writes a dump to standard error each time a signal arrives, until the handler is cancelled. Reactor only;
    /// never waits.
    ///
    /// `try reactor.dumpOnSignal(SIGUSR1)`, and `kill -USR1 PID` shows what everybody waits for. The environment's
    /// `REACTOR_DUMP_SIGNAL` (`USR1`) does the same for each run of a reactor. As with `signals(…)`, ask before
    /// threads are started that would take the signal.
    /// - Throws: `ReactorError` as `onSignal`.
    @ReactorActor @discardableResult
    public func dumpOnSignal(_ number: Int32) throws -> SignalHandler {
        try SignalHandler(number, on: self, isInternal: true) { [unowned self] _ in
            writeToStandardError("\(dump())\n")
        }
    }

    /// Does what the configuration asks for, when the reactor starts.
    @ReactorActor func configureReports() {
        let configuration = configuration
        if configuration.isAccounting { isAccounting = true }
        guard dumpHandler == nil, let number = configuration.dumpSignal else { return }
        attempt("REACTOR_DUMP_SIGNAL") { dumpHandler = try dumpOnSignal(number) }
    }

    /// Undoes it when the run ends: a signal is then again what it was.
    @ReactorActor func endReports() {
        dumpHandler?.cancel()
        dumpHandler = nil
    }
}

/// The number of a signal that people use to ask a process something, by its name or number.
func signalNumber(_ text: String) -> Int32? {
    let names = ["USR1": SIGUSR1, "USR2": SIGUSR2, "QUIT": SIGQUIT, "HUP": SIGHUP, "INFO": SIGPWR]
    let name = text.uppercased()
    if let number = names[name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name] { return number }
    return Int32(text).flatMap { $0 > 0 ? $0 : nil }
}

/// Writes all of it, whatever standard error is.
private func writeToStandardError(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        bytes = bytes.dropFirst(count)
    }
}

extension Reactor.ReadyItem {
    /// The task that is ready, by address.
    fileprivate var task: UInt? {
        switch self {
        // A task's job is the task, and so is its continuation: the address of the same object of the runtime.
        case .job(let job): unsafeBitCast(job, to: UInt.self)
        case .yielded(let continuation): unsafeBitCast(continuation, to: UInt.self)
        case .fiber(let fiber): UInt(bitPattern: fiber.pointee.task)
        case .call, .probe: nil
        }
    }
}

extension DescriptorTable.Watcher {
    /// Who watches, for dumps.
    fileprivate var watcherText: String {
        switch self {
        case .waiter: "a parked task"
        case .callback(let callback): callback.isInternal ? "the reactor" : "the callback of \(callback.site)"
        }
    }
}
