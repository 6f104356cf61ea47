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
        backoff = nil
        places[slot.index].connection = connection
        places[slot.index].expires = _limits.lifetime(chance: chance).map { now + $0 }
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
        // The timer is armed before the place is vacated: else the vacant place would be opened at once.
        if run == .running { noteFailure(isPermanent: isPermanent, jitter: jitter, &actions) }
        vacate(slot.index, at: now, &actions)
        return actions
    }

    @inlinable
    mutating func noteFailure(isPermanent: Bool, jitter: Double, _ actions: inout Actions) {
        if isPermanent { refuseAll(.connectFailedForGood, &actions) }
        // Attempts that were under way together and fail together count once.
        guard backoff == nil else { return }
        _failuresInARow += 1
        lastBackoff += 1
        backoff = lastBackoff
        actions.backoff = (_limits.backoff(afterFailures: _failuresInARow, jitter: jitter), lastBackoff)
    }

    /// The back-off timer with this number fired; an outdated number means nothing.
    @inlinable
    public mutating func backoffElapsed(_ number: UInt64, at now: Duration) -> Actions {
        var actions = Actions()
        guard backoff == number else { return actions }
        backoff = nil
        openIfNeeded(at: now, &actions)
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

    /// Reserves places for as many connects as there are waiters without one under way, and for what is missing to
    /// the minimum.
    @inlinable
    mutating func openIfNeeded(at now: Duration, _ actions: inout Actions) {
        guard run == .running, !_isPaused, backoff == nil else { return }
        // After a failure one attempt feels its way; the rest follow its success.
        let parallel = _failuresInARow > 0 ? 1 : _limits.maximumOpening
        while _counts.opening < min(parallel, wantedOpening), _counts.total < _limits.maximum {
            let index: Int
            if let known = vacant.popLast() {
                index = known
            } else {
                index = places.count
                places.append(Place())
            }
            places[index].serial = nextSerial
            places[index].generation = generation
            nextSerial += 1
            move(index, to: .opening, at: now)
            actions.opens.append(slot(index))
        }
    }

    /// How many connects ought to be under way.
    @inlinable var wantedOpening: Int {
        guard isInUse else { return _counts.waiting }
        let kept = _limits.minimum - (_counts.idle + _counts.borrowed - staleCount)
        let ready = _counts.waiting + _limits.minimumIdle - (_counts.idle - staleIdleCount)
        return max(_counts.waiting, kept, _limits.minimumIdle > 0 ? ready : 0)
    }
}
