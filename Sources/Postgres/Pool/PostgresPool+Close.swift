import ConnectionPools
import Greenlets
import ReactorCore

extension PostgresPool {
    /// Closes the pool. Parks the calling task until every connection is gone.
    ///
    /// New and waiting borrowers get `poolClosed` at once. Those that hold a connection have `grace` to finish; then their
    /// statements and hooks are cancelled and further ones refused, and a little later their connections are closed under them:
    /// statements get `poolClosed` where the server has ended them, and `connectionLost`, by which nobody knows whether they
    /// took effect, where it has not said so. Closing again waits for the same end. Goes through even in a cancelled task.
    public func close(grace: Duration = .seconds(10)) async {
        adoptIfForked()
        apply(machine.shutDown(force: false, at: now))
        await listener?.close()
        if isShared { multiplexer?.close() }
        for timer in [backoffTimer, patienceTimer, deadlineTimer, upkeepTimer] { timer?.cancelIfActive() }
        impatient.removeAll()
        for waiter in warmWaiters { waiter.resume(throwing: refusal(.closed)) }
        await waitUntilDrained(atMost: grace)
        guard !isDrained else { return }
        endHooks()
        apply(machine.shutDown(force: true, at: now))
        await waitUntilDrained(atMost: configuration.cancelGrace + .seconds(1))
        guard !isDrained else { return }
        // The requests to cancel may have been slow: from then on statements have their time.
        if held.contains(where: { $0.connection.exchange.isUnderWay }) {
            await waitUntilDrained(atMost: configuration.cancelGrace)
        }
        for lease in held { await lease.connection.close() }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func close(grace: Duration = .seconds(10)) throws {
        try Greenlet.blockingCall { await self.close(grace: grace) }
    }

    /// What borrowers have not given back.
    private var held: [Lease] { machine.shutDown(force: true, at: now).interrupts }

    private func waitUntilDrained(atMost limit: Duration) async {
        guard !isDrained else { return }
        let reactor = Reactor.current
        let waiter = Waiter<Void>(on: reactor)
        drainWaiters.append(waiter)
        let timer = reactor.callLater(max(.zero, limit)) { waiter.resume(returning: ()) }
        try? await waiter.waitUncancellably()
        timer.cancelIfActive()
        drainWaiters.removeAll { $0 === waiter }
    }

    func drained() {
        isDrained = true
        for waiter in drainWaiters { waiter.resume(returning: ()) }
    }
}
