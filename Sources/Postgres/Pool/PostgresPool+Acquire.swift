import CLibPQ
import ConnectionPools
import Logging
import ReactorCore

extension PostgresPool {
    /// The pool's clock: time since the reactor's own origin.
    var now: Duration { .nanoseconds(Reactor.current.now.nanoseconds) }

    /// A connection, now or within `timeout`. Whoever gets it releases it.
    func acquire(timeout: Duration) async throws -> Lease {
        if let lease = tryAcquire() { return lease }
        return try await waitForLease(timeout)
    }

    /// A connection that is idle and alive; nil when there is none or somebody waits already. Never waits.
    func tryAcquire() -> Lease? {
        while let lease = machine.tryAcquire(at: now) {
            if isAlive(lease.connection) {
                totals.acquired += 1
                return lease
            }
            release(lease)
        }
        return nil
    }

    private func waitForLease(_ timeout: Duration) async throws -> Lease {
        try Task.checkCancellation()
        let now = now
        let waiter = PoolWaiter(until: now + max(.zero, timeout), on: .current)
        let (ticket, actions) = machine.wait(waiter, at: now)
        totals.waited += 1
        let timer = watchDeadline(of: waiter, timeout, at: now)
        apply(actions)
        defer {
            timer?.cancelIfActive()
            // Leaves the queue when it is still there: timed out or cancelled.
            if let ticket { _ = machine.cancelWaiter(ticket) }
        }
        let lease = try await waiter.wait()
        guard !Task.isCancelled else {
            // Cancelled after the hand-off: the connection goes to whoever is next.
            release(lease)
            throw CancellationError()
        }
        totals.acquired += 1
        return lease
    }

    /// Asks the socket of a connection that has been idle for a while; the reactor may not have had a turn since it died.
    private func isAlive(_ session: PostgresSession) -> Bool {
        if now - session.idleSince > .milliseconds(1) {
            session.takeInput()
            if session.isUsable { session.takeInput() }
        }
        return session.isUsable
    }

    /// Takes a connection back from its borrower. Never waits, so it can be called from any scope's end; what has to wait is
    /// done by the pool itself, and the connection counts as borrowed until then.
    func release(_ lease: Lease) {
        let session = lease.connection
        guard session.isUsable else {
            totals.connectionsLost += 1
            return apply(machine.release(lease.slot, .broken(session.loss), at: now))
        }
        if session.transactionStatus == PQTRANS_IDLE, !session.exchange.isUnderWay {
            session.idleSince = now
            return apply(machine.release(lease.slot, .reusable, at: now))
        }
        if session.exchange.isCleanUp {
            // The end of a stream that was left early.
            _ = Reactor.current.startTask { [self] in
                await session.waitUntilFree()
                release(lease)
            }
            return
        }
        totals.rolledBackOnReturn += 1
        options.logger.warning(
            "pool \(options.label): a connection came back in the middle of a transaction or statement; rolling back"
        )
        // Somebody else may still be using it: the borrower let it escape.
        session.interrupt(.cancelled, exchange: session.exchange.number)
        _ = Reactor.current.startTask { [self] in
            await session.waitUntilFree()
            await session.rollBack()
            session.idleSince = now
            apply(machine.release(lease.slot, session.isUsable ? .reusable : .broken(session.loss), at: now))
        }
    }

    func refusal(_ reason: PoolRefusal) -> PostgresError {
        switch reason {
        case .closed: PostgresError(.poolClosed, "pool \"\(options.label)\" is closed")
        case .tooManyWaiting:
            PostgresError(
                .tooManyWaiting,
                "\(machine.counts.waiting) already wait for a connection from pool \"\(options.label)\"")
        case .connectFailedForGood:
            totals.lastConnectError
                ?? PostgresError(.connectFailed, "pool \"\(options.label)\" cannot connect")
        }
    }
}
