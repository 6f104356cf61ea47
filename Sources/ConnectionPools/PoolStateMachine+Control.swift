extension PoolStateMachine {
    /// Takes no more borrowers, refuses those who wait, closes what is idle and everything that comes back.
    ///
    /// - Parameter force: also interrupt the borrowers. May follow a call without force.
    @inlinable
    public mutating func shutDown(force: Bool, at now: Duration) -> Actions {
        var actions = Actions()
        guard run != .drained else {
            actions.isDrained = true
            return actions
        }
        let isFirst = run == .running
        run = .closing
        backoff = nil
        if isFirst {
            for waiter in waiters.removeAll() { actions.refusals.append((waiter, .closed)) }
            _counts.waiting = 0
            closeIdle(idle, at: now, &actions)
            for index in places.indices where places[index].phase == .opening {
                actions.abandons.append(slot(index))
            }
        }
        if force {
            for index in places.indices where places[index].phase == .borrowed {
                actions.interrupts.append(lease(index))
            }
        }
        noticeDrained(&actions)
        return actions
    }

    /// Replaces every connection without downtime: idle ones are closed now, borrowed ones on their return.
    @inlinable
    public mutating func recycle(at now: Duration) -> Actions {
        var actions = Actions()
        generation += 1
        closeIdle(idle, at: now, &actions)
        return actions
    }

    /// Changes the maximum. Growing serves waiters at once; shrinking closes idle connections now and others
    /// as they come back, never in use.
    @inlinable
    public mutating func resize(to maximum: Int, at now: Duration) -> Actions {
        precondition(maximum > 0, "a pool needs room for a connection")
        var actions = Actions()
        _limits.maximum = maximum
        _counts.maximum = maximum
        // Oldest first, so that the warmest stay.
        closeIdle(Array(idle.prefix(max(_counts.total - _counts.closing - maximum, 0))), at: now, &actions)
        openIfNeeded(at: now, &actions)
        return actions
    }
}

// MARK: - The few moves everything above is made of

extension PoolStateMachine {
    @inlinable
    func slot(_ index: Int) -> PoolSlot { PoolSlot(index: index, serial: places[index].serial) }

    @inlinable
    func lease(_ index: Int) -> Lease {
        guard let connection = places[index].connection else {
            preconditionFailure("a place without a connection was lent")
        }
        return Lease(slot: slot(index), connection: connection)
    }

    @inlinable
    func holds(_ slot: PoolSlot, _ phase: Phase) -> Bool {
        slot.index < places.count && places[slot.index].serial == slot.serial
            && places[slot.index].phase == phase
    }

    /// The only place that changes a phase, so that the counts cannot drift from it.
    @inlinable
    mutating func move(_ index: Int, to phase: Phase, at now: Duration) {
        count(places[index].phase, -1)
        places[index].phase = phase
        places[index].since = now
        count(phase, 1)
    }

    @inlinable
    mutating func count(_ phase: Phase, _ change: Int) {
        switch phase {
        case .vacant: break
        case .opening: _counts.opening += change
        case .idle: _counts.idle += change
        case .borrowed: _counts.borrowed += change
        case .closing: _counts.closing += change
        }
    }

    @inlinable
    mutating func popIdle() -> Int? { idle.popLast() }

    /// A connection is free: the head waiter gets it, or it lies idle, or it is one too many.
    @inlinable
    mutating func supply(_ index: Int, at now: Duration, _ actions: inout Actions) {
        guard run == .running, _counts.total - _counts.closing <= _limits.maximum else {
            close(index, at: now, &actions)
            return
        }
        if let waiter = waiters.popFirst() {
            _counts.waiting = waiters.count
            move(index, to: .borrowed, at: now)
            actions.handOff = (lease(index), waiter)
        } else {
            move(index, to: .idle, at: now)
            idle.append(index)
        }
    }

    @inlinable
    mutating func close(_ index: Int, at now: Duration, _ actions: inout Actions) {
        let closed = lease(index)
        move(index, to: .closing, at: now)
        places[index].connection = nil
        actions.closes.append(closed)
    }

    @inlinable
    mutating func closeIdle(_ leaving: [Int], at now: Duration, _ actions: inout Actions) {
        guard !leaving.isEmpty else { return }
        idle.removeAll { leaving.contains($0) }
        for index in leaving { close(index, at: now, &actions) }
    }

    /// The server went away under the connection at `index`: all of its age and older are suspect.
    @inlinable
    mutating func sweep(after index: Int, at now: Duration, _ actions: inout Actions) {
        // Further losses of the same generation are the same event.
        guard places[index].generation == generation else { return }
        generation += 1
        closeIdle(idle.filter { places[$0].generation < generation }, at: now, &actions)
    }

    @inlinable
    mutating func vacate(_ index: Int, at now: Duration, _ actions: inout Actions) {
        move(index, to: .vacant, at: now)
        places[index].serial = 0
        vacant.append(index)
        openIfNeeded(at: now, &actions)
        noticeDrained(&actions)
    }

    /// Reserves places for as many connects as there are waiters without one under way.
    @inlinable
    mutating func openIfNeeded(at now: Duration, _ actions: inout Actions) {
        guard run == .running, backoff == nil else { return }
        // After a failure one attempt feels its way; the rest follow its success.
        let parallel = _failuresInARow > 0 ? 1 : _limits.maximumOpening
        while _counts.opening < min(parallel, _counts.waiting), _counts.total < _limits.maximum {
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

    @inlinable
    mutating func noticeDrained(_ actions: inout Actions) {
        guard run == .closing, _counts.total == 0 else { return }
        run = .drained
        actions.isDrained = true
    }
}
