import ConnectionPools
import Logging
import ReactorCore

extension PostgresPool {
    /// Carries out what the state machine decided. Runs no user code and never waits.
    func apply(_ first: PoolActions<PostgresSession, PoolWaiter>) {
        var next: PoolActions<PostgresSession, PoolWaiter>? = first
        while let actions = next {
            next = nil
            for slot in actions.opens { open(slot) }
            for slot in actions.abandons { connecting[slot]?.cancel() }
            for lease in actions.closes { close(lease) }
            for lease in actions.interrupts { lease.connection.condemn(refusal(.closed), .poolClosed) }
            for (waiter, reason) in actions.refusals { waiter.fail(refusal(reason)) }
            if let (delay, number) = actions.backoff {
                backoffTimer = Reactor.current.callLater(delay) { [self] in
                    apply(machine.backoffElapsed(number, at: now))
                }
            }
            if actions.isDrained { drained() }
            if let (lease, waiter) = actions.handOff, !waiter.receive(lease) {
                // The waiter was cancelled or timed out in this very turn. Not recursive: there may be many.
                next = machine.release(lease.slot, .reusable, at: now)
            }
        }
    }

    /// Connects in a task of the pool's own, so that it outlives the borrower it was started for.
    private func open(_ slot: PoolSlot) {
        connecting[slot] = Reactor.current.startTask { [self] in
            let outcome: Result<PostgresSession, any Error>
            do {
                outcome = .success(try await PostgresSession.connect(configuration))
            } catch {
                outcome = .failure(error)
            }
            connecting[slot] = nil
            switch outcome {
            case .success(let session): opened(slot, session)
            case .failure(let error): openFailed(slot, error)
            }
        }
    }

    private func opened(_ slot: PoolSlot, _ session: PostgresSession) {
        totals.connectsSucceeded += 1
        totals.lastConnectError = nil
        session.idleSince = now
        // Unowned: a borrower holds the pool, and `deinit` takes this away from the idle ones.
        session.onIdleLoss = { [unowned self] session in idleSessionLost(slot, session) }
        apply(machine.connectSucceeded(slot, session, at: now))
    }

    private func openFailed(_ slot: PoolSlot, _ error: any Error) {
        let error =
            error as? PostgresError
            ?? PostgresError(
                .connectFailed, "cannot connect to \(configuration.redactedDescription): \(error)",
                underlying: error)
        if !machine.isShutDown {
            totals.connectsFailed += 1
            totals.lastConnectError = error
            // Once per outage, not once per attempt.
            if machine.failuresInARow == 0 { options.logger.error("pool \(options.label): \(error)") }
        }
        apply(
            machine.connectFailed(
                slot, isPermanent: error.isPermanentConnectFailure, jitter: Double.random(in: -1...1), at: now
            ))
    }

    private func idleSessionLost(_ slot: PoolSlot, _ session: PostgresSession) {
        totals.connectionsLost += 1
        options.logger.info("pool \(options.label): \(session.unusable)")
        apply(machine.idleConnectionLost(slot, session.loss, at: now))
    }

    private func close(_ lease: Lease) {
        lease.connection.onIdleLoss = nil
        _ = Reactor.current.startTask { [self] in
            await lease.connection.close()
            apply(machine.closeFinished(lease.slot, at: now))
        }
    }
}
