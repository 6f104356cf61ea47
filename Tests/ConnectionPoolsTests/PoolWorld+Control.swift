import Testing

@testable import ConnectionPools

// What time and its owner do to a pool.

extension PoolWorld {
    mutating func upkeep() throws {
        now += .seconds(Int.random(in: 0...4, using: &random))
        let counts = pool.counts
        let actions = pool.upkeep(at: now)
        try apply(actions)
        let closed = actions.closes.count
        if actions.closes.contains(where: { $0.reason == .idle }) {
            try #require(pool.counts.idle + pool.counts.borrowed >= pool.limits.minimum)
            try #require(pool.counts.idle >= pool.limits.minimumIdle)
        } else if closed > 0, pool.counts.idle + pool.counts.borrowed < pool.limits.minimum {
            try #require(closed == 1 && counts.total >= counts.maximum, "a replacement is opened first")
        }
        let isExpendable =
            pool.counts.idle > pool.limits.minimumIdle
            && pool.counts.idle + pool.counts.borrowed > pool.limits.minimum
        if let coldest = idle.first, isExpendable { try #require(now - coldest.since < .seconds(3)) }
        for rest in idle where expires[rest.slot]! <= now {
            try #require(!isExpendable, "too old, and not needed")
            let isStuck = pool.counts.total >= pool.counts.maximum && opening.isEmpty && closing.isEmpty
            try #require(!isStuck, "too old, and no replacement can come")
        }
        for (slot, loan) in borrowed where !loan.isTold {
            try #require(now - loan.since < .seconds(5), "\(slot) is held for too long, and nobody says so")
        }
        let next = pool.nextUpkeep(at: now)
        try #require((next == nil) == (pool.counts.idle + pool.counts.borrowed == 0))
        if let next { try #require(next > now && next <= now + .milliseconds(750), "a timer that spins") }
    }

    mutating func resize() throws {
        let maximum = Int.random(in: 1...8, using: &random)
        let minimum = Bool.random(using: &random) ? Int.random(in: 0...3, using: &random) : nil
        try apply(pool.resize(minimum: minimum, to: maximum, at: now))
        try #require(pool.limits.minimum <= maximum && pool.counts.maximum == maximum)
    }

    mutating func resume() throws {
        isPaused = false
        var actions = pool.resume(at: now)
        while true {
            try apply(actions)
            guard actions.handOff != nil || !actions.closes.isEmpty else { return }
            actions = pool.serve(at: now)
        }
    }

    mutating func shutDown(force: Bool) throws {
        isDown = true
        try apply(pool.shutDown(force: force, at: now))
    }

    mutating func lend(_ lease: Machine.Lease, to greenlet: Int) {
        borrowed[lease.slot] = Loan(connection: lease.connection, greenlet: greenlet, since: now)
        tally.served += 1
    }

    /// Lets everything under way end well: whoever still waits must then be served.
    mutating func settle() throws {
        var rounds = 0
        if isPaused { try resume() }
        while !waiting.isEmpty || !closing.isEmpty || !opening.isEmpty || !borrowed.isEmpty {
            rounds += 1
            try #require(rounds < 10_000, "somebody waits for ever: \(pool.counts)")
            if let number = backoff {
                backoff = nil
                try apply(pool.backoffElapsed(number, at: now))
            }
            for slot in opening { try connected(slot) }
            while !closing.isEmpty { try finishClose() }
            for slot in slotsInUse { try giveBack(slot, .reusable) }
            if !isDown { try check() }
        }
    }
}
