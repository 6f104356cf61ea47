// The few moves that every event is made of.

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
        count(index, -1)
        places[index].phase = phase
        places[index].since = now
        count(index, 1)
    }

    @inlinable
    mutating func count(_ index: Int, _ change: Int) {
        let phase = places[index].phase
        switch phase {
        case .vacant: break
        case .opening: _counts.opening += change
        case .idle: _counts.idle += change
        case .borrowed: _counts.borrowed += change
        case .closing: _counts.closing += change
        }
        guard places[index].isStale else { return }
        if phase == .idle { staleIdleCount += change }
        if phase == .idle || phase == .borrowed { staleCount += change }
    }

    @inlinable
    mutating func popIdle() -> Int? {
        if _limits.reuse == .lastInFirstOut { return idle.popLast() }
        return idle.isEmpty ? nil : idle.removeFirst()
    }

    @inlinable
    mutating func lend(_ index: Int, to holder: PoolHolder, at now: Duration) -> Lease {
        move(index, to: .borrowed, at: now)
        places[index].holder = holder
        places[index].isLeakTold = false
        return lease(index)
    }

    /// A connection is free: the head waiter gets it, or it lies idle, or it is one too many or too old.
    @inlinable
    mutating func supply(_ index: Int, at now: Duration, _ actions: inout Actions) {
        guard run == .running else { return close(index, .poolClosed, at: now, &actions) }
        guard _counts.total - _counts.closing <= _limits.maximum else {
            return close(index, .shrunk, at: now, &actions)
        }
        if places[index].isStale {
            shelve(index, at: now)
            retireStale(at: now, &actions)
            openIfNeeded(at: now, &actions)
            // It stays when it would be missed: then it serves until its replacement is there.
            guard places[index].phase == .idle, !waiters.isEmpty, !_isPaused else { return }
            idle.removeAll { $0 == index }
        }
        if !_isPaused, let entry = waiters.popFirst(), let waiter = entry.waiter {
            noteLeft(entry)
            actions.handOff = (lend(index, to: entry.holder, at: now), waiter)
        } else {
            shelve(index, at: now)
        }
    }

    @inlinable
    mutating func shelve(_ index: Int, at now: Duration) {
        move(index, to: .idle, at: now)
        idle.append(index)
    }

    @inlinable
    mutating func close(
        _ index: Int, _ reason: PoolEviction, at now: Duration, _ actions: inout Actions
    ) {
        let closed = lease(index)
        move(index, to: .closing, at: now)
        places[index].connection = nil
        actions.closes.append(PoolClose(lease: closed, reason: reason))
    }

    @inlinable
    mutating func closeIdle(
        _ leaving: [Int], _ reason: PoolEviction, at now: Duration, _ actions: inout Actions
    ) {
        guard !leaving.isEmpty else { return }
        idle.removeAll { leaving.contains($0) }
        for index in leaving { close(index, reason, at: now, &actions) }
    }

    /// The server went away under the connection at `index`: all of its age and older are suspect.
    @inlinable
    mutating func sweep(after index: Int, at now: Duration, _ actions: inout Actions) {
        // Further losses of the same generation are the same event.
        guard places[index].generation == generation else { return }
        generation += 1
        generationEnd = .swept
        isTroubled = true
        closeIdle(idle.filter { places[$0].generation < generation }, .swept, at: now, &actions)
    }

    @inlinable
    mutating func vacate(_ index: Int, at now: Duration, _ actions: inout Actions) {
        move(index, to: .vacant, at: now)
        places[index].serial = 0
        places[index].isStale = false
        places[index].isAbandoned = false
        places[index].expires = nil
        places[index].holder = PoolHolder()
        vacant.append(index)
        openIfNeeded(at: now, &actions)
        noticeDeadlock(&actions)
        noticeDrained(&actions)
    }

    @inlinable
    mutating func refuseAll(_ reason: PoolRefusal, _ actions: inout Actions) {
        while let entry = waiters.popFirst() {
            noteLeft(entry)
            if let waiter = entry.waiter { actions.refusals.append((waiter, reason)) }
        }
    }

    @inlinable
    mutating func noticeDrained(_ actions: inout Actions) {
        guard run == .closing, _counts.total == 0 else { return }
        run = .drained
        actions.isDrained = true
    }
}
