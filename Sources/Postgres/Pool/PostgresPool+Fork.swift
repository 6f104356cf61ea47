import CLinux
import ConnectionPools
import DequeModule

// In the child of a fork every session is the parent's: PQfinish would send Terminate over the shared socket and end it there.
// So the sockets are closed, which the parent does not notice, and all the rest is kept as it is for ever: what its
// deinitialisers would do is the parent's to do. The pool begins anew, empty.

extension PostgresPool {
    /// Makes the pool an empty one when the process has been forked since it was last used.
    @inline(__always) func adoptIfForked() {
        if forks != clinux_fork_count() { adopt() }
    }

    private func adopt() {
        forks = clinux_fork_count()
        abandonSessions()
        keep((connecting, backoffTimer, patienceTimer, upkeepTimer, deadlineTimer, impatient))
        keep((hookEnds, warmWaiters, drainWaiters))
        listener?.abandon()
        keep((listener, multiplexer, cancelThreads))
        cancelThreads = Self.makeCancelThreads()
        listener = nil
        multiplexer = Multiplexer(self)
        openTransactions = 0
        machine = PoolStateMachine(limits: machine.limits)
        totals = PostgresPoolStatistics()
        closedTraffic = nil
        connecting = [:]
        backoffTimer = nil
        patienceTimer = nil
        upkeepTimer = nil
        deadlineTimer = nil
        impatient = []
        hookEnds = [:]
        warmWaiters = []
        drainWaiters = []
        isDrained = false
    }

    /// Closes the sockets and forgets the sessions without freeing them.
    func abandonSessions() {
        for session in machine.connections { session.abandon() }
        keep(machine)
    }
}

/// Keeps a value for the rest of the process.
private func keep<Value>(_ value: Value) {
    UnsafeMutablePointer<Value>.allocate(capacity: 1).initialize(to: value)
}
