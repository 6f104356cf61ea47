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
        patience = nil
        if isFirst {
            refuseAll(.closed, &actions)
            closeIdle(idle, .poolClosed, at: now, &actions)
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

    /// Replaces every connection without downtime: idle ones are closed now, borrowed ones on their return, those being
    /// opened as soon as they are there.
    @inlinable
    public mutating func recycle(at now: Duration) -> Actions {
        var actions = Actions()
        guard run == .running else { return actions }
        generation += 1
        recycledGeneration = generation
        generationEnd = .recycled
        closeIdle(idle, .recycled, at: now, &actions)
        openIfNeeded(at: now, &actions)
        return actions
    }

    /// Changes the maximum, and the minimum when one is given. Growing serves waiters at once; shrinking closes idle
    /// connections now and others as they come back, never in use. The minimum is at most the maximum.
    @inlinable
    public mutating func resize(minimum: Int? = nil, to maximum: Int, at now: Duration) -> Actions {
        precondition(maximum > 0, "a pool needs room for a connection")
        var actions = Actions()
        _limits.maximum = maximum
        _limits.minimum = min(max(minimum ?? _limits.minimum, 0), maximum)
        _limits.minimumIdle = min(_limits.minimumIdle, maximum)
        _counts.maximum = maximum
        // Oldest first, so that the warmest stay.
        let excess = max(_counts.total - _counts.closing - maximum, 0)
        closeIdle(Array(idle.prefix(excess)), .shrunk, at: now, &actions)
        openIfNeeded(at: now, &actions)
        noticeDeadlock(&actions)
        return actions
    }

    /// Lends nothing more and opens nothing until `resume`. Borrowers queue; those who have a connection keep it.
    @inlinable
    public mutating func pause() { _isPaused = true }

    /// Lends again. Idle connections go to those who wait by `serve`, which is to be called until it hands nothing over.
    @inlinable
    public mutating func resume(at now: Duration) -> Actions {
        _isPaused = false
        return serve(at: now)
    }

    /// Hands an idle connection to the head waiter, if there are both: after a pause there may be.
    @inlinable
    public mutating func serve(at now: Duration) -> Actions {
        var actions = Actions()
        guard run == .running, !_isPaused else { return actions }
        if !waiters.isEmpty, let index = popIdle() { supply(index, at: now, &actions) }
        openIfNeeded(at: now, &actions)
        return actions
    }
}
