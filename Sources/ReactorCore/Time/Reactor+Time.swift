extension Reactor {
    /// The time of this reactor's clock, read now. Reactor only.
    @ReactorActor public var now: ReactorInstant { clock.now }

    /// Makes `action` run once, `delay` from now, on the reactor. Reactor only; never waits.
    ///
    /// Equal deadlines run in the order they were made. `.zero` runs in a coming turn, never inside this
    /// call. A delay past the clock's range (292 years) never comes. An error thrown by `action` goes to
    /// `onUncaughtError`, with the place of this call.
    /// - Precondition: `delay` is not negative.
    /// - Complexity: O(log n), a step or two on average.
    @ReactorActor @discardableResult
    public func callLater(
        _ delay: Duration, _ action: consuming @escaping @ReactorActor () throws -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) -> DelayedCall {
        // Not `>= .zero`: calls into the standard library that are not inlined.
        precondition(
            delay.attoseconds >= 0, "callLater(\(delay)) at \(file):\(line): a delay cannot be negative")
        return add(at: now.advanced(by: delay), CallSite(file, line), Self.preparing(action))
    }

    /// `callLater`, for callers that keep the place of the call themselves.
    @ReactorActor package func callLater(
        _ delay: Duration, _ action: consuming @escaping @ReactorActor () throws -> Void, at site: CallSite
    ) -> DelayedCall {
        add(at: now.advanced(by: delay), site, Self.preparing(action))
    }

    /// Parks the calling task for `duration`; the reactor goes on. Zero lets everything that is ready run
    /// once.
    ///
    /// - Throws: `CancellationError` when the task is cancelled, at once; the timer is gone then.
    @ReactorActor public func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        let latch = Latch(on: self, for: .time)
        let timer = callInternallyLater(duration) { latch.open() }
        do { try await latch.waitUntilOpen() } catch {
            timer.cancelIfActive()
            throw error
        }
    }

    /// `callLater` for the reactor's own ends, in whose actions no code of a user runs: the task-local values that are
    /// bound here are no concern of theirs, and to keep them would cost more than the timer.
    @ReactorActor package func callInternallyLater(
        _ delay: Duration, _ action: consuming @escaping @ReactorActor () -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) -> DelayedCall {
        add(at: now.advanced(by: max(.zero, delay)), CallSite(file, line), action)
    }

    @ReactorActor @inline(__always) private func add(
        at deadline: ReactorInstant, _ site: CallSite,
        _ action: consuming @escaping @ReactorActor () throws -> Void
    ) -> DelayedCall {
        let call = DelayedCall(deadline: deadline, queue: timers, site: site, action: action)
        timers.pointee.add(call)
        return call
    }

    /// Makes the calls that are due, in order, for `turnShare` at most: the rest goes on in the next turn.
    ///
    /// Calls made or moved meanwhile wait for the next turn too, so a timer that re-arms itself at once
    /// cannot hold the loop.
    @ReactorActor func fireTimers() {
        guard timers.pointee.count > 0 else { return }
        let now = clock.now
        let last = timers.pointee.lastSequence
        var limit = TurnLimit()
        swap(&ready, &due)
        defer { swap(&ready, &due) }
        while let call = timers.pointee.popDue(at: now, madeUpTo: last) {
            do { try call.fire() } catch { onUncaughtError(error, call.description) }
            if limit.isReached() { return }
        }
    }

    /// How many delayed calls are still to come, those behind `sleep` and time-outs included. Reactor only.
    @ReactorActor public var delayedCallCount: Int { timers.pointee.count }

    /// The delayed calls still to come, in the order in which they will be made; those behind `sleep` and
    /// time-outs included. Reactor only.
    ///
    /// - Complexity: O(n log n).
    @ReactorActor public var delayedCalls: [DelayedCall] { timers.pointee.calls }
}
