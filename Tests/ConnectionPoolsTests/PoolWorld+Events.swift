import Testing

@testable import ConnectionPools

// What borrowers and servers do.

extension PoolWorld {
    mutating func step() throws {
        tally.steps += 1
        now += .milliseconds(Int.random(in: 1...60, using: &random))
        // The bound holds unless a resize made it smaller just now.
        let total = pool.counts.total
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<32: try borrow()
        case 32..<55: try giveBack()
        case 55..<66: try finishConnect()
        case 66..<75: try finishClose()
        case 75..<81:
            guard let entry = waiting.randomElement(using: &random), let ticket = entry.ticket else { return }
            try #require(pool.cancelWaiter(ticket) == entry.waiter)
            waiting.removeAll { $0.waiter == entry.waiter }
        case 81..<83:
            guard let ticket = handedLate.randomElement(using: &random) else { return }
            try #require(pool.cancelWaiter(ticket) == nil)
        case 83:
            guard let number = patience else { return }
            patience = nil
            try apply(pool.patienceElapsed(number, at: now))
        case 84..<87:
            guard let number = backoff else { return }
            backoff = nil
            try apply(pool.backoffElapsed(number, at: now))
        case 87: try loseIdle()
        case 88..<96: try upkeep()
        case 96: try resize()
        case 97:
            isPaused = true
            pool.pause()
        case 98: try resume()
        default:
            if Int.random(in: 0..<4, using: &random) > 0 {
                try resume()
            } else {
                try apply(pool.recycle(at: now))
            }
        }
        try #require(pool.counts.total <= max(pool.counts.maximum, total))
        try check()
    }

    mutating func borrow() throws {
        // A task waits in one place at a time; 0 is nobody that is known.
        var greenlet = Int.random(in: 0...10, using: &random)
        if let slot = slotsInUse.randomElement(using: &random), Bool.random(using: &random) {
            greenlet = borrowed[slot]!.greenlet
        }
        if waiting.contains(where: { $0.greenlet == greenlet }) { greenlet = 0 }
        let holder = PoolHolder(greenlet: greenlet, task: UInt(greenlet))
        if let lease = pool.tryAcquire(for: holder, at: now) {
            try #require(waiting.isEmpty && !isPaused, "newcomers do not barge")
            let next = pool.limits.reuse == .lastInFirstOut ? idle.popLast() : idle.removeFirst()
            try #require(next?.slot == lease.slot && next?.connection == lease.connection)
            lend(lease, to: greenlet)
            if pool.isShortOfIdle { try apply(pool.replenish(at: now)) }
            return
        }
        try #require(idle.isEmpty || isDown || isPaused)
        let waiter = name()
        let isAhead = Int.random(in: 0..<20, using: &random) == 0
        let (ticket, actions) = pool.wait(waiter, for: holder, ahead: isAhead, at: now)
        let isQueued = ticket != nil || actions.refusals.contains { $0 == (waiter, .deadlock) }
        if isQueued {
            isInUse = true
            let entry = Waiting(waiter: waiter, ticket: ticket, greenlet: greenlet)
            waiting.insert(entry, at: isAhead ? 0 : waiting.count)
        }
        try apply(actions)
    }

    mutating func giveBack() throws {
        guard let slot = slotsInUse.randomElement(using: &random) else { return }
        if Int.random(in: 0..<8, using: &random) == 0, let loan = borrowed[slot] {
            // It is being made ready for its return first: from now on nobody holds it.
            pool.returnBegan(slot)
            borrowed[slot] = Loan(
                connection: loan.connection, greenlet: 0, since: loan.since, isTold: true)
            return
        }
        let dice = Int.random(in: 0..<10, using: &random)
        try giveBack(slot, dice < 8 ? .reusable : .broken(dice == 8 ? .alone : .serverGone))
    }

    mutating func giveBack(_ slot: PoolSlot, _ condition: PoolReturn) throws {
        guard let loan = borrowed.removeValue(forKey: slot) else { return }
        let actions = pool.release(slot, condition, at: now)
        idle.append(Rest(slot: slot, connection: loan.connection, since: now))
        try apply(actions)
    }

    mutating func finishConnect() throws {
        guard let slot = opening.randomElement(using: &random) else { return }
        let dice = Int.random(in: 0..<10, using: &random)
        if dice < 7 { return try connected(slot) }
        opening.removeAll { $0 == slot }
        try apply(
            pool.connectFailed(
                slot, isPermanent: dice == 9, jitter: Double.random(in: -1...1, using: &random), at: now))
    }

    mutating func connected(_ slot: PoolSlot) throws {
        opening.removeAll { $0 == slot }
        let connection = name()
        let chance = Double.random(in: 0...1, using: &random)
        expires[slot] = now + .seconds(6) * (1 - 0.1 * chance)
        let actions = pool.connectSucceeded(slot, connection, chance: chance, at: now)
        // A success ends the back-off; the timer of the shell is out of date.
        backoff = nil
        idle.append(Rest(slot: slot, connection: connection, since: now))
        try apply(actions)
    }

    mutating func finishClose() throws {
        guard let slot = closing.randomElement(using: &random) else { return }
        closing.removeAll { $0 == slot }
        expires[slot] = nil
        try apply(pool.closeFinished(slot, at: now))
    }

    mutating func loseIdle() throws {
        guard let rest = idle.randomElement(using: &random) else { return }
        let loss: PoolLoss = Bool.random(using: &random) ? .alone : .serverGone
        try apply(pool.idleConnectionLost(rest.slot, loss, at: now))
        try #require(!idle.contains { $0.slot == rest.slot })
    }
}
