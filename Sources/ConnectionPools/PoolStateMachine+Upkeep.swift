extension PoolStateMachine {
    /// Whether fewer are idle than are to be: to be looked at after `tryAcquire`, which opens nothing, and mended by
    /// `replenish`.
    @inlinable public var isShortOfIdle: Bool { _counts.idle < _limits.minimumIdle }

    /// Opens what is missing to the minimum. The first use does so by itself.
    @inlinable
    public mutating func replenish(at now: Duration) -> Actions {
        var actions = Actions()
        isInUse = true
        openIfNeeded(at: now, &actions)
        return actions
    }

    /// The upkeep's timer fired: connections end their lifetime, idle ones that are not needed are closed, those held for
    /// too long are told. Ask `nextUpkeep` for the next time.
    ///
    /// - Complexity: O(maximum). Nothing of this is looked at when connections are lent and returned.
    @inlinable
    public mutating func upkeep(at now: Duration) -> Actions {
        var actions = Actions()
        guard run == .running else { return actions }
        for index in places.indices {
            let place = places[index]
            guard place.phase == .idle || place.phase == .borrowed else { continue }
            if !place.isStale, let expires = place.expires, expires <= now { markStale(index) }
            guard place.phase == .borrowed, !place.isLeakTold, let threshold = _limits.leakThreshold,
                now - place.since >= threshold
            else { continue }
            places[index].isLeakTold = true
            actions.leaks.append(holding(index))
        }
        retireStale(at: now, &actions)
        if let timeout = _limits.idleTimeout {
            // Coldest first.
            while let index = idle.first, now - places[index].since >= timeout, isExpendable {
                closeIdle([index], .idle, at: now, &actions)
            }
        }
        openIfNeeded(at: now, &actions)
        return actions
    }

    /// When `upkeep` is to be called; nil when there is nothing to look after.
    @inlinable
    public func nextUpkeep(at now: Duration) -> Duration? {
        guard run == .running, _counts.idle + _counts.borrowed > 0, let period = _limits.upkeepPeriod else {
            return nil
        }
        var next = now + period
        for place in places {
            switch place.phase {
            case .idle:
                if let timeout = _limits.idleTimeout, isExpendable { next = min(next, place.since + timeout) }
            case .borrowed:
                if let threshold = _limits.leakThreshold, !place.isLeakTold {
                    next = min(next, place.since + threshold)
                }
            default: continue
            }
            if let expires = place.expires, !place.isStale { next = min(next, expires) }
        }
        return max(next, now)
    }

    /// Who holds connections, longest first.
    @inlinable public var holdings: [PoolHolding<Connection>] {
        places.indices.filter { places[$0].phase == .borrowed }.map(holding)
            .sorted { ($0.since, $0.lease.slot.serial) < ($1.since, $1.lease.slot.serial) }
    }

    /// Who holds this connection; nil when nobody does.
    @inlinable
    public func holding(_ slot: PoolSlot) -> PoolHolding<Connection>? {
        holds(slot, .borrowed) ? holding(slot.index) : nil
    }

    /// Whether one idle connection fewer would still be enough.
    @inlinable var isExpendable: Bool {
        _counts.idle > _limits.minimumIdle && _counts.idle + _counts.borrowed > _limits.minimum
    }

    @inlinable
    mutating func markStale(_ index: Int) {
        // Counted anew under the same phase.
        count(index, -1)
        places[index].isStale = true
        count(index, 1)
    }

    /// Closes stale connections that nobody uses, as far as others are there in their stead.
    @inlinable
    mutating func retireStale(at now: Duration, _ actions: inout Actions) {
        guard staleIdleCount > 0, run == .running else { return }
        for index in idle where places[index].isStale && mayRetire {
            closeIdle([index], .lifetime, at: now, &actions)
        }
    }

    /// Whether a stale connection may go: it is not missed, or its replacement can come no other way.
    @inlinable var mayRetire: Bool {
        isExpendable
            || _counts.total >= _limits.maximum && _counts.opening == 0 && _counts.closing == 0
    }

    @inlinable
    func holding(_ index: Int) -> PoolHolding<Connection> {
        PoolHolding(
            lease: lease(index), holder: places[index].holder, since: places[index].since,
            isWaiting: places[index].isHolderWaiting)
    }
}
