import Testing

@testable import ConnectionPools

extension PoolWorld {
    /// Believes the actions, after a look at whether they may be.
    mutating func apply(_ actions: Machine.Actions) throws {
        for close in actions.closes {
            // What is closed was idle, just returned or just opened.
            let slot = close.lease.slot
            try #require(borrowed[slot] == nil && !closing.contains(slot))
            let rest = try #require(idle.firstIndex { $0.slot == slot })
            try #require(idle.remove(at: rest).connection == close.connection)
            if close.reason == .lifetime { try #require(expires[slot]! <= now, "closed before its time") }
            closing.append(slot)
            tally.closes[close.reason, default: 0] += 1
        }
        if let (lease, waiter) = actions.handOff {
            try #require(!isPaused && waiting.first?.waiter == waiter, "the head is served first")
            let head = waiting.removeFirst()
            if let ticket = head.ticket { handedLate = handedLate.suffix(20) + [ticket] }
            try #require(borrowed[lease.slot] == nil && !closing.contains(lease.slot))
            let rest = try #require(idle.firstIndex { $0.slot == lease.slot })
            try #require(idle.remove(at: rest).connection == lease.connection)
            lend(lease, to: head.greenlet)
        }
        for (waiter, reason) in actions.refusals where reason != .tooManyWaiting {
            if reason == .deadlock { try checkDeadlock(refusing: waiter) }
            waiting.removeAll { $0.waiter == waiter }
        }
        for leak in actions.leaks {
            let slot = leak.lease.slot
            try #require(borrowed[slot]?.isTold == false && now - leak.since >= .seconds(5))
            try #require(borrowed[slot]?.greenlet == leak.holder.greenlet)
            borrowed[slot]?.isTold = true
            tally.leaks += 1
        }
        try #require(!(isDown || isPaused) || actions.opens.isEmpty, "closed or paused, it opens nothing")
        for slot in actions.opens {
            try #require(!opening.contains(slot))
            opening.append(slot)
        }
        for slot in actions.abandons where !isDown {
            try #require(opening.contains(slot) && opening.count > 1, "the last attempt is not given up")
            tally.abandons += 1
        }
        if let armed = actions.backoff {
            try #require(armed.delay >= .zero)
            if !waiting.isEmpty {
                try #require(armed.delay <= .milliseconds(360), "too long for one who waits")
            }
            backoff = armed.number
        }
        if let armed = actions.patience {
            try #require(patience == nil && armed.delay > .zero && armed.delay <= pool.limits.patience)
            patience = armed.number
        }
        try #require(backoff == nil || actions.opens.isEmpty, "nothing is opened during a back-off")
        if actions.isDrained {
            try #require(isDown && opening.isEmpty && borrowed.isEmpty && closing.isEmpty && idle.isEmpty)
            isDrained = true
        }
    }

    /// Whether everyone who holds a connection waits for one, and none is on its way in or out.
    var isDeadlocked: Bool {
        !borrowed.isEmpty && idle.isEmpty && opening.isEmpty && closing.isEmpty
            && borrowed.count >= pool.counts.maximum
            && borrowed.values.allSatisfy { loan in
                loan.greenlet != 0 && waiting.contains { $0.greenlet == loan.greenlet }
            }
    }

    mutating func checkDeadlock(refusing waiter: Int) throws {
        try #require(isDeadlocked, "a deadlock was claimed that is none")
        let last = waiting.last { entry in borrowed.values.contains { $0.greenlet == entry.greenlet } }
        try #require(last?.waiter == waiter, "the last to ask is refused")
        tally.deadlocks += 1
    }

    func check() throws {
        let counts = pool.counts
        try #require(counts.opening == opening.count && counts.borrowed == borrowed.count)
        try #require(counts.idle == idle.count && counts.closing == closing.count)
        try #require(counts.waiting == waiting.count)
        try #require(counts.opening <= pool.limits.maximumOpening)
        try #require(waiting.isEmpty || idle.isEmpty || isPaused, "nobody waits beside an idle connection")
        try #require(!isDeadlocked, "everyone waits for everyone")
        try #require(
            pool.blockedCount
                == borrowed.values.count { loan in
                    loan.greenlet != 0 && waiting.contains { $0.greenlet == loan.greenlet }
                })
        try #require(pool.connections.count == idle.count + borrowed.count)
        guard !isPaused else { return }
        let limits = pool.limits
        let parallel = pool.failuresInARow > 0 ? 1 : limits.maximumOpening
        var wanted = counts.waiting
        if isInUse {
            wanted = max(wanted, limits.minimum - counts.idle - counts.borrowed)
            if limits.minimumIdle > 0 {
                wanted = max(wanted, counts.waiting + limits.minimumIdle - counts.idle)
            }
        }
        let mayOpen = counts.total < counts.maximum && backoff == nil
        try #require(
            !mayOpen || counts.opening >= min(parallel, wanted),
            "a free place wakes the head, and the minimum")
        try #require(counts.opening <= max(40, limits.minimum), "nothing is opened in vain")
    }
}
