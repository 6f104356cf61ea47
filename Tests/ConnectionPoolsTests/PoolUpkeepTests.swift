import Testing

@testable import ConnectionPools

@Suite struct PoolUpkeepTests {
    static func pool(
        maximum: Int = 4, minimum: Int = 0, minimumIdle: Int = 0, lifetime: Duration? = nil,
        idle: Duration? = nil, leak: Duration? = nil, reuse: PoolReuse = .lastInFirstOut
    ) -> Machine {
        Machine(
            limits: PoolLimits(
                maximum: maximum, minimum: minimum, minimumIdle: minimumIdle, maximumLifetime: lifetime,
                idleTimeout: idle, leakThreshold: leak, reuse: reuse))
    }

    @Test func theFirstUseOpensTheMinimum() {
        var pool = Self.pool(minimum: 3)
        #expect(pool.wait(1, at: .zero).actions.opens.count == 3)
    }

    @Test func warmingUpOpensTheMinimumAndNothingBefore() {
        var pool = Self.pool(minimum: 2)
        #expect(pool.counts.opening == 0)
        #expect(pool.replenish(at: .zero).opens.count == 2)
        #expect(pool.replenish(at: .zero).opens.isEmpty)
    }

    @Test func theMinimumIsKeptWhenConnectionsAreLost() {
        var pool = Self.pool(minimum: 2)
        let slots = pool.replenish(at: .zero).opens
        for slot in slots { _ = pool.connectSucceeded(slot, 1, at: .zero) }
        #expect(pool.idleConnectionLost(slots[0], .alone, at: .zero).opens.count == 1)
    }

    @Test func aMinimumOfIdleOnesIsRefilledAsTheyAreLent() {
        var pool = Self.pool(minimumIdle: 1)
        let first = pool.replenish(at: .zero).opens
        #expect(first.count == 1)
        _ = pool.connectSucceeded(first[0], 1, at: .zero)
        #expect(!pool.isShortOfIdle && pool.tryAcquire(at: .zero) != nil && pool.isShortOfIdle)
        #expect(pool.replenish(at: .zero).opens.count == 1)
    }

    @Test func idleConnectionsBeyondTheMinimumAreClosedColdestFirst() {
        var pool = Self.pool(minimum: 1, idle: .seconds(10))
        let slots = (1...3).map { pool.borrowNew($0) }
        for (second, slot) in slots.enumerated() { _ = pool.release(slot, .reusable, at: .seconds(second)) }
        #expect(pool.upkeep(at: .seconds(10)).closes.map(\.connection) == [1])
        #expect(pool.upkeep(at: .seconds(60)).closes.map(\.connection) == [2])
        #expect(pool.counts.idle == 1)
    }

    @Test func aConnectionInUseOutlivesItsTimeAndIsRetiredOnItsReturn() {
        var pool = Self.pool(lifetime: .seconds(100))
        let slot = pool.borrowNew(1)
        #expect(pool.upkeep(at: .seconds(200)).closes.isEmpty)
        let returned = pool.release(slot, .reusable, at: .seconds(201))
        #expect(returned.closes.map(\.reason) == [.lifetime])
    }

    @Test func aReplacementIsOpenedFirstWhenTheMinimumWouldBeUndercut() {
        var pool = Self.pool(maximum: 3, minimum: 2, lifetime: .seconds(100))
        for slot in pool.replenish(at: .zero).opens { _ = pool.connectSucceeded(slot, 1, at: .zero) }
        let due = pool.upkeep(at: .seconds(100))
        #expect(due.closes.isEmpty && due.opens.count == 1)
        let replaced = pool.connectSucceeded(due.opens[0], 2, at: .seconds(101))
        #expect(replaced.closes.map(\.reason) == [.lifetime] && pool.counts.idle == 2)
        // And the other one after it.
        let next = pool.closeFinished(replaced.closes[0].lease.slot, at: .seconds(102))
        #expect(next.opens.count == 1)
        #expect(pool.connectSucceeded(next.opens[0], 3, at: .seconds(103)).closes.count == 1)
        #expect(pool.counts.idle == 2)
    }

    @Test func aFullPoolOfAFixedSizeReplacesOneAfterTheOther() {
        var pool = Self.pool(maximum: 2, minimum: 2, lifetime: .seconds(100))
        for slot in pool.replenish(at: .zero).opens { _ = pool.connectSucceeded(slot, 1, at: .zero) }
        let due = pool.upkeep(at: .seconds(100))
        #expect(due.closes.count == 1 && due.opens.isEmpty && pool.counts.idle == 1)
        #expect(pool.closeFinished(due.closes[0].lease.slot, at: .seconds(100)).opens.count == 1)
    }

    @Test func chanceTakesUpToATenthOfTheLifetime() {
        let limits = PoolLimits(maximumLifetime: .seconds(100))
        #expect(limits.lifetime(chance: 0) == .seconds(100) && limits.lifetime(chance: 1) == .seconds(90))
        #expect(PoolLimits().lifetime(chance: 0) == nil)
        var pool = Self.pool(lifetime: .seconds(100))
        let slot = pool.wait(1, at: .zero).actions.opens[0]
        _ = pool.connectSucceeded(slot, 1, chance: 1, at: .zero)
        _ = pool.release(slot, .reusable, at: .zero)
        #expect(pool.upkeep(at: .milliseconds(89_999)).closes.isEmpty)
        #expect(pool.upkeep(at: .seconds(90)).closes.count == 1)
    }

    @Test func aLongHeldConnectionIsToldOncePerLoan() {
        var pool = Self.pool(leak: .seconds(30))
        let slot = pool.wait(1, for: PoolHolder(greenlet: 7, label: "report"), at: .zero).actions.opens[0]
        _ = pool.connectSucceeded(slot, 1, at: .zero)
        #expect(pool.upkeep(at: .seconds(29)).leaks.isEmpty)
        #expect(pool.upkeep(at: .seconds(30)).leaks.map(\.holder.label) == ["report"])
        #expect(pool.upkeep(at: .seconds(90)).leaks.isEmpty)
        _ = pool.release(slot, .reusable, at: .seconds(91))
        _ = pool.tryAcquire(at: .seconds(92))
        #expect(pool.upkeep(at: .seconds(122)).leaks.count == 1)
    }

    @Test func whatThePoolItselfDoesWithAConnectionIsNoLeak() {
        var pool = Self.pool(leak: .seconds(30))
        let slot = pool.borrowNew(1)
        pool.returnBegan(slot)
        #expect(pool.upkeep(at: .seconds(60)).leaks.isEmpty)
    }

    @Test func anEmptyPoolNeedsNoTimer() {
        var pool = Self.pool(lifetime: .seconds(100), idle: .seconds(10), leak: .seconds(4))
        #expect(pool.nextUpkeep(at: .zero) == nil)
        let slot = pool.borrowNew(1)
        #expect(pool.nextUpkeep(at: .zero) == .seconds(1))
        _ = pool.release(slot, .broken(.alone), at: .zero)
        #expect(pool.nextUpkeep(at: .zero) == nil)
    }

    @Test func limitsOfNothingDoNotKeepTheTimerSpinning() {
        var pool = Self.pool(minimum: 1, lifetime: .zero, idle: .zero, leak: .zero)
        let slots = (1...2).map { pool.borrowNew($0) }
        _ = pool.release(slots[0], .reusable, at: .zero)
        _ = pool.upkeep(at: .zero)
        #expect(pool.nextUpkeep(at: .zero)! >= .milliseconds(5))
        #expect(pool.release(slots[1], .reusable, at: .zero).closes.count <= 1)
        _ = pool.upkeep(at: .zero)
        #expect(pool.nextUpkeep(at: .zero).map { $0 >= .milliseconds(5) } ?? true)
    }

    @Test func roundRobinUsesTheColdestFirst() {
        var pool = Self.pool(reuse: .roundRobin)
        let slots = (1...3).map { pool.borrowNew($0) }
        for slot in slots { _ = pool.release(slot, .reusable, at: .zero) }
        #expect((0..<3).map { _ in pool.tryAcquire(at: .zero)?.connection } == [1, 2, 3])
    }

    /// Bursts every ten minutes, a server that is down for an hour, and nothing is larger at the end than at the beginning.
    @Test func aDayOfIdlenessAndBurstsLeavesNoGrowth() throws {
        var shell = PoolDay()
        for _ in 0..<144 { try shell.tenMinutes() }
        #expect(shell.pool.places.count <= 8 && shell.pool.vacant.capacity <= 16)
        #expect(shell.pool.idle.capacity <= 16 && shell.pool.waiters.entries.count <= 60)
        #expect(shell.pool.waiters.isEmpty && shell.pool.counts.borrowed == 0)
        #expect(shell.pool.counts.idle == 2 && shell.pool.counts.total == 2)
        #expect(shell.served == 144 * 60)
        // A few per burst and two each half hour, and the timer fires a few times a minute.
        #expect(shell.opened > 96 && shell.opened < 144 * 16 && shell.upkeeps < 24 * 3600)
    }
}

/// A shell whose connects, statements and closes take fixed times, on a clock that jumps.
struct PoolDay {
    enum Event { case upkeep, connected(PoolSlot), closed(PoolSlot), done(PoolSlot), backoff(UInt64) }

    var pool = Machine(
        limits: PoolLimits(
            maximum: 8, minimum: 2, maximumLifetime: .seconds(1800), idleTimeout: .seconds(60),
            leakThreshold: .seconds(30)))
    var now = Duration.zero
    var agenda: [(at: Duration, event: Event)] = []
    var isArmed = false
    var served = 0
    var opened = 0
    var upkeeps = 0

    mutating func tenMinutes() throws {
        for waiter in 0..<60 {
            if let lease = pool.tryAcquire(at: now) {
                lend(lease)
            } else {
                apply(pool.wait(waiter, at: now).actions)
            }
        }
        let end = now + .seconds(600)
        while let index = agenda.indices.min(by: { agenda[$0].at < agenda[$1].at }), agenda[index].at <= end {
            let (time, event) = agenda.remove(at: index)
            now = max(now, time)
            handle(event)
        }
        now = end
        try #require(agenda.count < 10)
    }

    mutating func handle(_ event: Event) {
        switch event {
        case .upkeep:
            upkeeps += 1
            isArmed = false
            apply(pool.upkeep(at: now))
        case .connected(let slot):
            // From the tenth hour to the eleventh nobody answers.
            if now >= .seconds(36_000), now < .seconds(39_600) {
                apply(pool.connectFailed(slot, isPermanent: false, jitter: 0, at: now))
            } else {
                opened += 1
                apply(pool.connectSucceeded(slot, opened, chance: 0.5, at: now))
            }
        case .closed(let slot): apply(pool.closeFinished(slot, at: now))
        case .done(let slot): apply(pool.release(slot, .reusable, at: now))
        case .backoff(let number): apply(pool.backoffElapsed(number, at: now))
        }
        guard !isArmed, let next = pool.nextUpkeep(at: now) else { return }
        isArmed = true
        agenda.append((next, .upkeep))
    }

    mutating func lend(_ lease: Machine.Lease) {
        served += 1
        agenda.append((now + .milliseconds(20), .done(lease.slot)))
    }

    mutating func apply(_ actions: Machine.Actions) {
        if let (lease, _) = actions.handOff { lend(lease) }
        for slot in actions.opens { agenda.append((now + .milliseconds(5), .connected(slot))) }
        for close in actions.closes { agenda.append((now + .milliseconds(1), .closed(close.lease.slot))) }
        if let (delay, number) = actions.backoff { agenda.append((now + delay, .backoff(number))) }
    }
}
