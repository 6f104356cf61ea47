extension Reactor {
    /// Parks the calling task until the reactor has nothing to do but wait: nothing is ready to run, no timer is due, and no
    /// descriptor that is waited for is ready. gevent's `idle`.
    ///
    /// Of several tasks the first goes on, and the next when there is nothing to do again. A task that yields for ever, or a
    /// descriptor whose callback leaves it ready, always is something to do.
    /// - Throws: `CancellationError` when the task is cancelled.
    @ReactorActor public func waitUntilIdle() async throws { try await latchForIdleness().waitUntilOpen() }

    /// A latch that opens when the reactor has nothing to do.
    @ReactorActor package func latchForIdleness() -> Latch {
        let latch = Latch(on: self)
        if idleWaiters == nil { idleWaiters = ParkingLine() }
        idleWaiters!.append(latch)  // set above
        return latch
    }

    /// In the place of a wait for descriptors, while somebody waits for there to be nothing to do: looks at them without
    /// waiting.
    @ReactorActor func pollForIdleness(_ line: ParkingLine) {
        let isTimerDue = timers.pointee.nextDeadline.map { clock.now >= $0 } ?? false
        let isIdle = readyCount == 0 && !inbox.mayHaveItems && !isTimerDue
        let hasCalled = look(timeoutNanoseconds: 0)
        if isIdle, !hasCalled, readyCount == 0, !inbox.mayHaveItems { line.openFirst() }
        if line.isEmpty { idleWaiters = nil }
    }
}
