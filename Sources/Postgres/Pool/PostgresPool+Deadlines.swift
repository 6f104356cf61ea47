import ConnectionPools
import DequeModule
import ReactorCore

extension PostgresPool {
    /// Sees to it that the waiter is told when its time is over.
    ///
    /// Those with the pool's own time-out stand in one queue, in which deadlines only grow, and share one timer. A timer for
    /// each borrower would cost as much as its place in the pool.
    /// - Parameter isWhole: whether all of its time is before it, so that the deadlines grow.
    /// - Returns: a timer of the waiter's own, to be cancelled when its wait has ended.
    func watchDeadline(
        of waiter: PoolWaiter, _ timeout: Duration, isWhole: Bool, at now: Duration
    ) -> DelayedCall? {
        guard isWhole, timeout == options.acquireTimeout else {
            return Reactor.current.callLater(max(.zero, waiter.deadline - now)) {
                self.giveUp(waiter, after: timeout)
            }
        }
        while let first = impatient.first, !first.isPending { impatient.removeFirst() }
        impatient.append(waiter)
        if deadlineTimer == nil { armDeadlineTimer(at: now) }
        return nil
    }

    private func armDeadlineTimer(at now: Duration) {
        while let first = impatient.first, !first.isPending { impatient.removeFirst() }
        guard let first = impatient.first, !machine.isShutDown else {
            deadlineTimer = nil
            return
        }
        deadlineTimer = Reactor.current.callLater(max(.zero, first.deadline - now)) { [unowned self] in
            let now = self.now
            while let first = impatient.first, !first.isPending || first.deadline <= now {
                impatient.removeFirst()
                giveUp(first, after: options.acquireTimeout)
            }
            armDeadlineTimer(at: now)
        }
    }

    private func giveUp(_ waiter: PoolWaiter, after timeout: Duration) {
        guard waiter.isPending else { return }
        totals.acquireTimeouts += 1
        waiter.fail(timeoutError(timeout))
    }
}
