import CLibPQ
import ConnectionPools
import Logging
import ReactorCore

extension PostgresPool {
    /// Takes a connection back from its borrower. Never waits, so it can be called from any scope's end; what has to wait is
    /// done by the pool itself, and the connection counts as borrowed until then.
    func release(_ lease: Lease) {
        let session = lease.connection
        // In the child of a fork the place is another connection's, or nobody's.
        if session.isInherited { return session.abandon() }
        count(lease)
        guard session.isUsable else {
            totals.connectionsLost += 1
            return apply(machine.release(lease.slot, .broken(session.loss), at: now))
        }
        guard session.transactionStatus == PQTRANS_IDLE, !session.exchange.isUnderWay,
            !needsReset(session), session.dirt.heldCursors.isEmpty, options.hooks.onRelease == nil
        else { return returnSlowly(lease) }
        session.idleSince = now
        apply(machine.release(lease.slot, .reusable, at: session.idleSince))
    }

    private func count(_ lease: Lease) {
        totals.statements += lease.connection.record.statements
        totals.statementCancels += lease.connection.record.cancels
        lease.connection.record.statements = 0
        lease.connection.record.cancels = 0
        if let events = options.events, let holding = machine.holding(lease.slot) {
            events(.released(label: holding.holder.label, held: now - holding.since))
        }
    }

    private func needsReset(_ session: PostgresSession) -> Bool {
        // What would have to be reset is refused there, and the session is another one already.
        if configuration.pooling == .transactionPooled { return false }
        return switch options.reset {
        case .never: false
        case .dirty: session.dirt.isDirty
        case .always: true
        }
    }

    /// In a task of the pool's own: its borrower goes on, or is being killed.
    private func returnSlowly(_ lease: Lease) {
        machine.returnBegan(lease.slot)
        let session = lease.connection
        // The end of a stream that was left early: it is being drained.
        let isDraining = session.exchange.isCleanUp
        let isInMidst =
            !isDraining && (session.transactionStatus != PQTRANS_IDLE || session.exchange.isUnderWay)
        if isInMidst {
            totals.rolledBackOnReturn += 1
            options.logger.warning(
                "pool \(options.label): a connection came back in the middle of a transaction or statement; rolling back"
            )
            // Somebody else may still be using it: the borrower let it escape.
            session.interrupt(.cancelled, exchange: session.exchange.number)
        }
        _ = Reactor.current.startTask { [self] in
            if isInMidst || isDraining {
                await session.waitUntilFree()
                await session.rollBack()
            }
            await tidy(session)
            session.record.statements = 0
            session.idleSince = now
            apply(machine.release(lease.slot, session.isUsable ? .reusable : .broken(session.loss), at: now))
        }
    }

    /// Asks the hook and resets. A session that is not as it should be afterwards is lost.
    private func tidy(_ session: PostgresSession) async {
        if let hook = options.hooks.onRelease, session.isUsable, !machine.isShutDown {
            let connection = PostgresConnection(session)
            let isWelcome = try? await runHook("onRelease", within: hookLimit) {
                try await hook(connection)
            }
            connection.endLoan()
            if isWelcome != true { return giveUp(session, .refusedByHook) }
            await session.rollBack()
        }
        guard session.isUsable, !machine.isShutDown else { return }
        guard needsReset(session) else { return await session.closeHeldCursors() }
        totals.resets += 1
        guard await session.discardAll() else { return giveUp(session, .resetFailed) }
        do { try await greet(session) } catch { giveUp(session, .resetFailed) }
    }

    private func giveUp(_ session: PostgresSession, _ reason: PostgresCloseReason) {
        session.record.closeReason = reason
        session.onIdleLoss = nil
        session.lose(PostgresError(.connectionClosed, "the pool has closed the connection"), .alone)
    }

    /// Runs `onConnect` on a session that is new, or as new.
    func greet(_ session: PostgresSession) async throws {
        guard let hook = options.hooks.onConnect else { return }
        let connection = PostgresConnection(session)
        defer { connection.endLoan() }
        try await runHook("onConnect", within: hookLimit) { try await hook(connection) }
        guard session.isUsable else { throw session.unusable }
        await session.rollBack()
        // What the hook sets is how every borrower is to find the session.
        session.dirt.clear()
    }
}
