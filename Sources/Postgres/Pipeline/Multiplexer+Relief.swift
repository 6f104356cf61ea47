import ConnectionPools
import PostgresValues
import ReactorCore

// In a pool of the mode `.automatic` sharing is the relief of one that has more to run than connections; and in every mode that
// shares, a shared connection is given up for those who need one to themselves.

extension Multiplexer {
    /// Of up to 8 reads on a connection: enough to fill a round trip, few enough to be done soon when somebody needs the
    /// connection. Nor are lines opened to spread what they have room for: the connections are others' as well.
    static func reliefLimits(_ maximum: Int, slowAfter: Duration = .milliseconds(10)) -> MultiplexLimits {
        // All lines are looked at for each statement; more than so many of them give no more.
        MultiplexLimits(
            lines: min(maximum, 32), depth: 8, spreadAt: .max, slowAfter: slowAfter,
            idleAfter: .milliseconds(20))
    }

    /// Whether the statement can share, and is one of more than there are connections for.
    func relieves(_ sql: SQL, _ fingerprint: UInt64) -> Bool {
        // Noted in any case: how long it takes shall count.
        let isFit = reputations.isShareableAndQuick(sql, fingerprint)
        let counts = pool.machine.counts
        guard isFit, counts.total >= counts.maximum, !pool.machine.isPaused, isContended(counts) else {
            return false
        }
        return !isOfHolder
    }

    /// Whether the caller holds a connection of the pool already. It stands in the pool's own queue then, where a deadlock would be
    /// seen: the holder of a line is nobody's.
    var isOfHolder: Bool {
        pool.machine.counts.borrowed != machine.open && pool.machine.isHolding(.current(""))
    }

    /// Whether more statements are under way than there are connections. As long as that is so, reads stay together even
    /// when a connection is free for a moment: spread over all of them, they would have shorter pipelines.
    private func isContended(_ counts: PoolCounts) -> Bool {
        if counts.idle == 0 { return true }
        let shared = machine.open
        let alone = counts.borrowed - shared
        return shared > 0 && alone + machine.outstanding + machine.waiting >= counts.maximum
    }

    /// Whether so many wait already that one more is sent away.
    var isOverfull: Bool {
        guard isRelief else { return machine.waiting >= maximumWaiting }
        if pool.options.maximumWaiting == .max { return false }
        let others = pool.machine.counts.waiting - machine.opening
        return machine.waiting + others - machine.room >= pool.options.maximumWaiting
    }

    /// Lets lines go for those who wait for connections of their own. Never waits.
    func giveWay() {
        let counts = pool.machine.counts
        let isHeldBack = pool.machine.isPaused
        let waiters = isHeldBack ? .max : counts.waiting - machine.opening
        guard waiters > 0, isHeldBack || counts.total >= counts.maximum else { return }
        for place in machine.giveWay(to: waiters) { lines[place.index]?.end() }
    }

    /// Lets all lines go: the pool's connections are being replaced. Never waits.
    func giveUpAll() {
        for place in machine.giveUpAll() { lines[place.index]?.end() }
        schedulePump()
    }
}

extension PostgresPoolOptions {
    /// Whether each loan of a connection means something by itself.
    var careForLoans: Bool {
        hooks.onAcquire != nil || hooks.onRelease != nil || check == .always || reset == .always
    }
}
