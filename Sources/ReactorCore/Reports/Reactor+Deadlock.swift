import CLinux
import Synchronization

/// What the search for deadlocks keeps between two looks.
struct DeadlockSearch {
    /// The turn after which the loop began to wait for the quiet to last, and when that was.
    var quietTurn: UInt64 = 0
    var quietSince: Int64 = 0
    /// The waits that were reported last: once a deadlock.
    var reported: [ReportedWait] = []

    struct ReportedWait: Equatable {
        let latch: ObjectIdentifier
        let since: Int64
    }
}

extension Reactor {
    /// How long the loop may sleep when nothing inside it will ever happen: −1 for ever.
    ///
    /// Called when the loop would sleep for ever while tasks are parked, all on what only other tasks can bring
    /// about. The search goes through all of them, so it is made when that has lasted for `deadlockPatience`, once.
    @ReactorActor func timeoutBeforeDeadlock() -> Int64 {
        guard let patience = deadlockPatience?.wholeNanoseconds, phase.load(ordering: .relaxed) == .running,
            externalWakerCount.load(ordering: .acquiring) == 0
        else { return -1 }
        let now = clinux_monotonic_ns()
        let elapsed = now - deadlockSearch.quietSince
        guard turnCount == deadlockSearch.quietTurn + 1, elapsed >= 0 else {
            deadlockSearch.quietTurn = turnCount
            deadlockSearch.quietSince = now
            return max(1, patience)
        }
        if elapsed < patience {
            deadlockSearch.quietTurn = turnCount
            return patience - elapsed
        }
        guard let latches = deadlockedLatches() else { return -1 }
        return report(latches) ? 0 : -1
    }

    /// The latches of all tasks, when none of those can go on. Nil when one may.
    @ReactorActor private func deadlockedLatches() -> [Latch]? {
        let pool = threadPool.statistics
        guard pool.working == 0, pool.queued == 0, signalSource?.hasSubscribers != true,
            descriptors.numbers(where: { $0.reader?.callback != nil || $0.writer?.callback != nil }).isEmpty
        else { return nil }
        let latches = parkedLatches
        guard latches.allSatisfy({ !$0.reason.canEndFromOutside }) else { return nil }
        let parked = Set(latches.compactMap { $0.task.map { UInt(bitPattern: $0) } })
        // A task that lives and is parked on no latch is suspended on something we know nothing of: another actor, a
        // stream, another task's value.
        guard attachedTasks.isSubset(of: parked),
            identities().allSatisfy({ $0.waitingTask.map(parked.contains) ?? false })
        else { return nil }
        return latches
    }

    /// Ends the wait of the main function, or tells `onUncaughtError`. Whether something can go on now.
    @ReactorActor private func report(_ latches: [Latch]) -> Bool {
        let waits = latches.map {
            DeadlockSearch.ReportedWait(latch: ObjectIdentifier($0), since: $0.parkedSince)
        }
        guard waits != deadlockSearch.reported else { return false }
        deadlockSearch.reported = waits
        let error = deadlockError(latches)
        if let main = latches.first(where: { $0.task.map { UInt(bitPattern: $0) } == mainTask?.address }) {
            main.open(throwing: error)
        } else {
            onUncaughtError(error, "the reactor")
        }
        // Whoever heard of it may have woken somebody.
        return readyCount > 0
    }

    @ReactorActor private func deadlockError(_ latches: [Latch]) -> DeadlockError {
        var names: [UInt: String] = [:]
        // A fiber's request runs in a task of its own: who waits for the greenlet waits for that.
        var stands: [UInt: UInt] = [:]
        for identity in identities() {
            guard let task = identity.task else { continue }
            names[task] = identity.text
            if let waiting = identity.waitingTask {
                names[waiting] = identity.text
                stands[task] = waiting
            }
        }
        if let main = mainTask { names[main.address] = "the main function of \(main.site)" }
        let name = { (task: UInt) in names[task] ?? "a task" }
        let now = clinux_monotonic_ns()
        let waits = latches.map { latch in
            // Every parked latch has one.
            (
                task: UInt(bitPattern: latch.task!), what: latch.reason.description, since: latch.parkedSince,
                holders: (latch.reason.subject?.holders ?? []).map { stands[$0] ?? $0 }
            )
        }
        return DeadlockError(
            waits: waits.map { wait in
                DeadlockError.Wait(
                    who: name(wait.task), what: wait.what, holders: wait.holders.map(name),
                    time: .milliseconds((now - wait.since) / 1_000_000))
            },
            cycles: WaitGraph(waits.map { ($0.task, $0.holders) }).cycles.map { $0.map(name) })
    }
}
