extension PoolStateMachine {
    /// A connection that was asked for is there.
    ///
    /// - Parameter chance: in 0…1, spreads the ends of lifetimes.
    @inlinable
    public mutating func connectSucceeded(
        _ slot: PoolSlot, _ connection: Connection, chance: Double = 0, at now: Duration
    ) -> Actions {
        var actions = Actions()
        guard holds(slot, .opening) else { return actions }
        _failuresInARow = 0
        isTroubled = false
        backoff = nil
        places[slot.index].connection = connection
        places[slot.index].expires = _limits.lifetime(chance: chance).map { now + $0 }
        // Asked for before a recycle, it may be what the recycle was to replace.
        if run == .running, places[slot.index].generation < recycledGeneration {
            close(slot.index, .recycled, at: now, &actions)
            openIfNeeded(at: now, &actions)
            return actions
        }
        // The handshake has just ended, so the server lives: whatever was swept meanwhile was older.
        places[slot.index].generation = generation
        supply(slot.index, at: now, &actions)
        retireStale(at: now, &actions)
        openIfNeeded(at: now, &actions)
        return actions
    }

    /// A connection that was asked for could not be had.
    ///
    /// - Parameters:
    ///   - isPermanent: trying again cannot help; everyone who waits is told so at once.
    ///   - jitter: chance in −1…1, spreads the next attempt.
    @inlinable
    public mutating func connectFailed(
        _ slot: PoolSlot, isPermanent: Bool, jitter: Double, at now: Duration
    ) -> Actions {
        var actions = Actions()
        guard holds(slot, .opening) else { return actions }
        // The timer is armed before the place is vacated: else the vacant place would be opened at once. One that was
        // given up says nothing about the server.
        if run == .running, !places[slot.index].isAbandoned {
            noteFailure(isPermanent: isPermanent, jitter: jitter, at: now, &actions)
        }
        vacate(slot.index, at: now, &actions)
        return actions
    }

    /// The peer of an idle connection closed it. Means nothing when it has been borrowed meanwhile: then
    /// its borrower finds out.
    @inlinable
    public mutating func idleConnectionLost(_ slot: PoolSlot, _ loss: PoolLoss, at now: Duration) -> Actions {
        var actions = Actions()
        guard holds(slot, .idle) else { return actions }
        closeIdle([slot.index], .lost, at: now, &actions)
        if loss == .serverGone { sweep(after: slot.index, at: now, &actions) }
        openIfNeeded(at: now, &actions)
        return actions
    }

    /// A connection that was to be closed is gone, for the server too.
    @inlinable
    public mutating func closeFinished(_ slot: PoolSlot, at now: Duration) -> Actions {
        var actions = Actions()
        guard holds(slot, .closing) else { return actions }
        vacate(slot.index, at: now, &actions)
        return actions
    }

    /// Every connection that the pool holds, idle and borrowed.
    @inlinable public var connections: [Connection] { places.compactMap(\.connection) }
}
