// When connects are begun, and when after a failure they are begun again.

extension PoolStateMachine {
    /// Whether a connect under way was told to stop, so that its failure means nothing.
    @inlinable
    public func isAbandoned(_ slot: PoolSlot) -> Bool {
        holds(slot, .opening) && places[slot.index].isAbandoned
    }

    /// The back-off timer with this number fired; an outdated number means nothing.
    @inlinable
    public mutating func backoffElapsed(_ number: UInt64, at now: Duration) -> Actions {
        elapsed(\.backoff, number, at: now)
    }

    /// The timer for attempts that take long fired; an outdated number means nothing.
    @inlinable
    public mutating func patienceElapsed(_ number: UInt64, at now: Duration) -> Actions {
        elapsed(\.patience, number, at: now)
    }

    @inlinable
    mutating func elapsed(
        _ timer: WritableKeyPath<Self, UInt64?>, _ number: UInt64, at now: Duration
    ) -> Actions {
        var actions = Actions()
        guard self[keyPath: timer] == number else { return actions }
        self[keyPath: timer] = nil
        openIfNeeded(at: now, &actions)
        return actions
    }

    @inlinable
    mutating func noteFailure(
        isPermanent: Bool, jitter: Double, at now: Duration, _ actions: inout Actions
    ) {
        isTroubled = true
        if isPermanent { refuseAll(.connectFailedForGood, &actions) }
        // Attempts that were under way together and fail together count once.
        guard backoff == nil else { return }
        _failuresInARow += 1
        backoffStart = now
        backoffChance = jitter
        armBackoff(at: now, &actions)
    }

    @inlinable
    mutating func armBackoff(at now: Duration, _ actions: inout Actions) {
        isBackoffShort = _counts.waiting > 0
        let pause = _limits.backoff(
            afterFailures: _failuresInARow, isAwaited: isBackoffShort, jitter: backoffChance)
        lastBackoff += 1
        backoff = lastBackoff
        actions.backoff = (max(.zero, backoffStart + pause - now), lastBackoff)
    }

    /// Somebody has begun to wait in a pause that was for nobody.
    @inlinable
    mutating func shortenBackoff(at now: Duration, _ actions: inout Actions) {
        if backoff != nil, !isBackoffShort { armBackoff(at: now, &actions) }
    }

    /// Reserves places for as many connects as there are waiters without one under way, and for what is missing to
    /// the minimum.
    @inlinable
    mutating func openIfNeeded(at now: Duration, _ actions: inout Actions) {
        guard run == .running, !_isPaused, backoff == nil else { return }
        // After a failure one attempt feels its way; the rest follow its success.
        let wanted = min(_failuresInARow > 0 ? 1 : _limits.maximumOpening, wantedOpening)
        let isPressed = isTroubled && _counts.waiting > 0
        let hanging = isPressed ? hangingCount(at: now) : 0
        while _counts.opening - hanging < wanted, _counts.opening < _limits.maximumOpening,
            _counts.total < _limits.maximum
        {
            open(at: now, &actions)
        }
        guard isPressed, _counts.opening > 0 else { return }
        if _counts.opening == hanging { abandonYoungest(&actions) }
        armPatience(at: now, &actions)
    }

    @inlinable
    mutating func open(at now: Duration, _ actions: inout Actions) {
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

    @inlinable
    func hangingCount(at now: Duration) -> Int {
        places.count { $0.phase == .opening && now - $0.since >= _limits.patience }
    }

    /// All attempts hang and there is no room for another: the youngest makes room. The oldest stays for as long as it
    /// takes: a server that is slow is reached by it.
    @inlinable
    mutating func abandonYoungest(_ actions: inout Actions) {
        let opening = places.indices.filter { places[$0].phase == .opening }
        guard opening.count > 1, !opening.contains(where: { places[$0].isAbandoned }),
            let youngest = opening.max(by: { places[$0].serial < places[$1].serial })
        else { return }
        places[youngest].isAbandoned = true
        actions.abandons.append(slot(youngest))
    }

    /// Arms the timer for the next attempt to have taken long, if there is one that has not yet.
    @inlinable
    mutating func armPatience(at now: Duration, _ actions: inout Actions) {
        guard self.patience == nil else { return }
        let patience = _limits.patience
        let next = places.lazy.filter { $0.phase == .opening && $0.since + patience > now }.map(\.since).min()
        guard let next else { return }
        lastPatience += 1
        self.patience = lastPatience
        actions.patience = (next + patience - now, lastPatience)
    }

    /// How many connects ought to be under way.
    @inlinable var wantedOpening: Int {
        guard isInUse else { return _counts.waiting }
        let kept = _limits.minimum - (_counts.idle + _counts.borrowed - staleCount)
        let ready = _counts.waiting + _limits.minimumIdle - (_counts.idle - staleIdleCount)
        return max(_counts.waiting, kept, _limits.minimumIdle > 0 ? ready : 0)
    }
}
