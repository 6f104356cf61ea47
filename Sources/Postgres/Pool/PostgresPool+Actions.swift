import ConnectionPools
import Logging
import ReactorCore

extension PostgresPool {
    /// Carries out what the state machine decided. Never waits; of user code only `events` and `onClose` run, which must not.
    func apply(_ first: PoolActions<PostgresSession, PoolWaiter>) {
        var next: PoolActions<PostgresSession, PoolWaiter>? = first
        while let actions = next {
            next = nil
            for slot in actions.opens { open(slot) }
            for slot in actions.abandons { connecting[slot]?.cancel() }
            for close in actions.closes { self.close(close) }
            for lease in actions.interrupts { lease.connection.condemn(refusal(.closed), .poolClosed) }
            for leak in actions.leaks { tell(ofLeak: leak) }
            for (waiter, reason) in actions.refusals { waiter.fail(refusal(reason)) }
            if let (delay, number) = actions.backoff {
                backoffTimer?.cancelIfActive()
                // Unowned, as all timers of the pool: `deinit` takes them away.
                backoffTimer = Reactor.current.callLater(delay) { [unowned self] in
                    apply(machine.backoffElapsed(number, at: now))
                }
            }
            if let (delay, number) = actions.patience {
                patienceTimer = Reactor.current.callLater(delay) { [unowned self] in
                    apply(machine.patienceElapsed(number, at: now))
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
            let start = now
            let outcome: Result<PostgresSession, any Error>
            do { outcome = .success(try await connect()) } catch { outcome = .failure(error) }
            connecting[slot] = nil
            switch outcome {
            case .success(let session): opened(slot, session, since: start)
            case .failure(let error): openFailed(slot, error)
            }
        }
    }

    nonisolated static func makeCancelThreads() -> ThreadPool { ThreadPool(limit: 8) }

    private func connect() async throws -> PostgresSession {
        let session = try await PostgresSession.connect(configurationForConnect())
        session.cancelThreads = cancelThreads
        do {
            if !isPoolerRuledOut {
                try await session.checkForPooler()
                isPoolerRuledOut = true
            }
            try await greet(session)
        } catch {
            // The place stays taken until the server has let go.
            await session.close()
            throw error
        }
        return session
    }

    /// What the next connect is made with, from `hooks.configure` if there is one.
    func configurationForConnect() async throws -> PostgresConfiguration {
        guard let hook = options.hooks.configure else { return configuration }
        return try await runHook("configure", within: hookLimit) {
            [configuration] in try await hook(configuration)
        }
    }

    private func opened(_ slot: PoolSlot, _ session: PostgresSession, since start: Duration) {
        let now = now
        totals.connectsSucceeded += 1
        totals.connectTime += now - start
        totals.lastConnectError = nil
        session.idleSince = now
        session.record.openedAt = now
        session.record.statements = 0
        // Unowned: a borrower holds the pool, and `deinit` takes this away from the idle ones.
        session.onIdleLoss = { [unowned self] session in idleSessionLost(slot, session) }
        options.events?(.connected(now - start))
        apply(machine.connectSucceeded(slot, session, chance: Double.random(in: 0...1), at: now))
        if upkeepTimer == nil { armUpkeep() }
        if isWarm { for waiter in warmWaiters { waiter.resume(returning: ()) } }
    }

    private func openFailed(_ slot: PoolSlot, _ error: any Error) {
        let error = PostgresError(connecting: configuration, failedWith: error)
        if !machine.isShutDown, !machine.isAbandoned(slot) {
            totals.connectsFailed += 1
            totals.lastConnectError = error
            // Once per outage, not once per attempt.
            if machine.failuresInARow == 0 { options.logger.error("pool \(options.label): \(error)") }
            options.events?(.connectFailed(error))
        }
        let isPermanent = error.isPermanentConnectFailure
        apply(
            machine.connectFailed(
                slot, isPermanent: isPermanent, jitter: Double.random(in: -1...1), at: now))
        if isPermanent { for waiter in warmWaiters { waiter.resume(throwing: error) } }
    }

    private func idleSessionLost(_ slot: PoolSlot, _ session: PostgresSession) {
        totals.connectionsLost += 1
        options.logger.info("pool \(options.label): \(session.unusable)")
        apply(machine.idleConnectionLost(slot, session.loss, at: now))
    }

    private func close(_ close: PoolClose<PostgresSession>) {
        let session = close.connection
        session.onIdleLoss = nil
        let reason = session.record.closeReason ?? PostgresCloseReason(close.reason, session)
        totals.evictions[reason, default: 0] += 1
        if let moved = session.traffic { closedTraffic = moved + (closedTraffic ?? .init()) }
        _ = Reactor.current.startTask { [self] in
            await session.close()
            apply(machine.closeFinished(close.lease.slot, at: now))
        }
        options.hooks.onClose?(reason)
        options.events?(.evicted(reason, age: now - session.record.openedAt))
    }
}

extension PostgresCloseReason {
    @ReactorActor
    init(_ eviction: PoolEviction, _ session: PostgresSession) {
        switch eviction {
        case .lifetime: self = .lifetime
        case .idle: self = .idle
        case .lost: self = session.unusable.code == .connectionClosed ? .closedByBorrower : .lost
        case .swept: self = .swept
        case .recycled: self = .recycled
        case .shrunk: self = .shrunk
        case .poolClosed: self = .poolClosed
        }
    }
}
