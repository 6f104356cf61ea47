import ConnectionPools
import Greenlets
import Logging
import ReactorCore

extension PostgresPool {
    /// Arms the one timer of the pool for what is due next. There is none while there is no connection.
    func armUpkeep() {
        upkeepTimer?.cancelIfActive()
        let now = now
        upkeepTimer = machine.nextUpkeep(at: now).map { next in
            Reactor.current.callLater(max(.zero, next - now)) { [unowned self] in
                apply(machine.upkeep(at: self.now))
                armUpkeep()
            }
        }
    }

    /// Opens `minimum` connections and waits until they are there. Parks the calling task.
    ///
    /// Without it they are opened in the background when the pool is first used.
    /// - Throws: `PostgresError`: `acquireTimedOut` when they are not there within `acquireTimeout`; `connectFailed` at once
    ///   when trying again cannot help; `poolClosed`. `CancellationError`. The pool goes on opening them in each case.
    public func warmUp() async throws {
        adoptIfForked()
        guard !machine.isShutDown else { throw refusal(.closed) }
        apply(machine.replenish(at: now))
        guard !isWarm else { return }
        let reactor = Reactor.current
        let waiter = Waiter<Void>(on: reactor)
        warmWaiters.append(waiter)
        let timer = reactor.callLater(max(.zero, options.acquireTimeout)) { [self] in
            waiter.resume(throwing: timeoutError(options.acquireTimeout))
        }
        defer {
            timer.cancelIfActive()
            warmWaiters.removeAll { $0 === waiter }
        }
        try await waiter.wait()
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func warmUp() throws { try Greenlet.blockingCall { try await self.warmUp() } }

    /// Whether all are there that are to be.
    var isWarm: Bool {
        let counts = machine.counts
        let limits = machine.limits
        return counts.idle + counts.borrowed >= max(limits.minimum, limits.minimumIdle)
    }

    func tell(ofLeak leak: PoolHolding<PostgresSession>) {
        totals.leaks += 1
        let text = leak.lease.connection.dirt.lastText
        options.logger.warning(
            "pool \(options.label): a connection has been held for \(description(of: leak)); its last statement: \(text.isEmpty ? "none" : oneLine(String(text.prefix(200))))"
        )
    }
}
