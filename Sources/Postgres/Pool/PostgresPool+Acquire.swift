import CLinux
import ConnectionPools
import Greenlets
import ReactorCore

extension PoolHolder {
    /// The calling task of the calling greenlet.
    @ReactorActor
    static func current(_ label: String, _ file: StaticString = "", _ line: UInt = 0) -> PoolHolder {
        PoolHolder(
            greenlet: AnyGreenlet.current?.id ?? 0, task: UInt(bitPattern: clinux_current_task()),
            label: label, file: file, line: line)
    }
}

extension PostgresPool {
    /// The pool's clock: time since the reactor's own origin.
    var now: Duration { .nanoseconds(Reactor.current.now.nanoseconds) }

    /// A connection, now or within `timeout`. Whoever gets it releases it.
    ///
    /// - Parameter first: what `tryAcquire` has just yielded.
    func acquire(
        timeout: Duration, for holder: PoolHolder = .current(""), having first: Lease? = nil
    ) async throws -> Lease {
        var candidate = first ?? tryAcquire(for: holder)
        if let candidate, isReady(candidate.connection) { return candidate }
        let deadline = now + max(.zero, timeout)
        var isFirst = candidate == nil
        while true {
            let lease: Lease
            if let candidate {
                lease = candidate
            } else {
                // One whose connection turned out to be no good was served in its turn, and keeps it.
                lease = try await waitForLease(timeout, until: deadline, for: holder, ahead: !isFirst)
            }
            if isReady(lease.connection) { return lease }
            if try await prepare(lease, timeout, until: deadline) { return lease }
            isFirst = false
            candidate = tryAcquire(for: holder)
        }
    }

    /// A connection that is idle and alive; nil when there is none or somebody waits already. Never waits.
    func tryAcquire(for holder: PoolHolder = .current("")) -> Lease? {
        adoptIfForked()
        while let lease = machine.tryAcquire(for: holder, at: now) {
            if machine.isShortOfIdle { apply(machine.replenish(at: now)) }
            if isAlive(lease.connection) {
                totals.acquired += 1
                if let events = options.events { events(.acquired(label: holder.label, waited: .zero)) }
                return lease
            }
            release(lease)
        }
        return nil
    }

    private func waitForLease(
        _ timeout: Duration, until deadline: Duration, for holder: PoolHolder, ahead: Bool
    ) async throws -> Lease {
        try Task.checkCancellation()
        let start = now
        let waiter = PoolWaiter(until: deadline, on: .current)
        let (ticket, actions) = machine.wait(waiter, for: holder, ahead: ahead, at: start)
        totals.waited += 1
        let timer = watchDeadline(of: waiter, timeout, isWhole: !ahead, at: start)
        apply(actions)
        if isShared { multiplexer?.giveWay() }
        defer {
            timer?.cancelIfActive()
            // Leaves the queue when it is still there: timed out or cancelled.
            if let ticket { _ = machine.cancelWaiter(ticket) }
        }
        let lease: Lease
        do { lease = try await waiter.wait() } catch {
            if error is CancellationError { totals.acquireCancels += 1 }
            throw error
        }
        guard !Task.isCancelled else {
            // Cancelled after the hand-off: the connection goes to whoever is next.
            totals.acquireCancels += 1
            release(lease)
            throw CancellationError()
        }
        let waited = now - start
        totals.acquired += 1
        totals.waits.record(waited)
        lease.connection.record.wasIdle = .zero
        if let events = options.events { events(.acquired(label: holder.label, waited: waited)) }
        return lease
    }

    /// Asks the socket of a connection that has been idle for a while; the reactor may not have had a turn since it died.
    private func isAlive(_ session: PostgresSession) -> Bool {
        let idle = now - session.idleSince
        session.record.wasIdle = idle
        if idle > .milliseconds(1), options.check != .never {
            // Twice: the farewell and the end of the stream come one by one.
            session.takeInput()
            if session.isUsable { session.takeInput() }
        }
        return session.isUsable
    }
}
