import Synchronization

/// What a reactor keeps for foreign threads from one run to the next: its pool, and who waits for it.
///
/// The pool lives as long as a run: made on first use, held before, stopped by the shutdown; the next run gets
/// a fresh one. `crash()` leaves it as it is. Any thread.
final class ReactorThreads: Sendable {
    private struct State {
        var isHeld = true
        var isAnswering = false
        var limit = 10
        var pool: ThreadPool?
        var calls: [UInt64: any BlockedCall] = [:]
        var lastCall: UInt64 = 0
    }

    private let state = Mutex(State())

    /// The pool of this run, or the one that the next run will start.
    var pool: ThreadPool {
        state.withLock { state in
            if let pool = state.pool { return pool }
            let pool = ThreadPool(limit: state.limit, isHeld: state.isHeld)
            state.pool = pool
            return pool
        }
    }

    func suggestLimit(_ limit: Int) throws(ReactorError) {
        guard limit > 0 else {
            throw ReactorError(
                .invalidArgument,
                "suggestThreadPoolSize(\(limit)): a reactor needs at least one worker thread; its default is 10"
            )
        }
        let pool = state.withLock { state in
            state.limit = limit
            return state.pool
        }
        try pool?.adjust(limit: limit)
    }

    /// The reactor makes turns now: what is queued may run.
    func startPool() {
        let pool = state.withLock { state in
            state.isHeld = false
            return state.pool
        }
        pool?.start()
    }

    /// The reactor shuts down. The pool finishes what it has; its results wait in the inbox for the next run.
    func stopPool() {
        let pool = state.withLock { state in
            defer {
                state.isHeld = true
                state.pool = nil
            }
            return state.pool
        }
        pool?.stop()
    }

    /// The reactor is about to run: it answers threads until `rejectCalls()`.
    func acceptCalls() { state.withLock { $0.isAnswering = true } }

    /// The loop has ended: nobody would answer any more.
    func rejectCalls() {
        let calls = state.withLock { state in
            defer {
                state.isAnswering = false
                state.calls = [:]
            }
            return state.calls
        }
        for call in calls.values { call.reactorStopped() }
    }

    /// Remembers a thread that is about to wait; nil when the reactor does not run, and never would answer.
    func add(_ call: any BlockedCall) -> UInt64? {
        state.withLock { state in
            guard state.isAnswering else { return nil }
            state.lastCall += 1
            state.calls[state.lastCall] = call
            return state.lastCall
        }
    }

    func remove(_ number: UInt64) {
        _ = state.withLock { $0.calls.removeValue(forKey: number) }
    }
}

/// A thread that waits for the reactor.
protocol BlockedCall: Sendable {
    /// Ends the wait with an error.
    func reactorStopped()
}
