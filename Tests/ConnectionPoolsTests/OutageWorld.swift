import Testing

@testable import ConnectionPools

/// A pool, a server that is away in one way after another and then comes back, and borrowers who do not know; all in virtual time.
struct OutageWorld {
    /// What becomes of an attempt that is begun.
    enum Kind: CaseIterable {
        /// Nobody listens: it fails at once.
        case refusing
        /// The server says that it is starting up: it fails soon.
        case starting
        /// The network is silent: it fails when its time is over, even if the server is back long before.
        case silent
        /// It takes its time, then the connection is cut.
        case cutting
    }

    struct Phase {
        let kind: Kind
        let until: Duration
    }

    enum Event {
        case attemptEnds(PoolSlot, succeeds: Bool)
        case closeEnds(PoolSlot)
        case backoff(UInt64)
        case patience(UInt64)
        case arrival
        case deadline(PoolTicket)
        case release(PoolSlot)
    }

    var pool: Machine
    var random: PoolWorld.Random
    var phases: [Phase] = []
    /// What a login takes at least.
    var slowness = Duration.zero
    /// Longest gap between two borrowers.
    var longestGap: Duration

    var now = Duration.zero
    var events: [(at: Duration, event: Event)] = []
    var waiting: [Int: Duration] = [:]
    var names = 0
    var attempts = 0
    var hung = 0
    var abandoned = 0
    var firstServed: Duration?
    var mayArrive = true

    var outage: Duration { phases.last!.until }

    init(seed: UInt64, isLong: Bool) {
        random = PoolWorld.Random(state: seed)
        let maximum = Int.random(in: 2...10, using: &random)
        pool = Machine(
            limits: PoolLimits(
                maximum: maximum, minimum: Int.random(in: 0...maximum, using: &random),
                minimumIdle: Int.random(in: 0...1, using: &random)))
        longestGap = .milliseconds(
            [isLong ? 2000 : 20, 1000, 30_000, 600_000].randomElement(using: &random)!)
        var end = Duration.zero
        for number in 0..<Int.random(in: 1...5, using: &random) {
            let length = isLong && number == 0 ? 3_600_000...7_200_000 : 600...30_000
            end += .milliseconds(Int.random(in: length, using: &random))
            phases.append(Phase(kind: .allCases.randomElement(using: &random)!, until: end))
        }
    }

    /// Lives through the outage and a little more. How long the first borrower after it waited.
    mutating func live(within limit: Duration = .seconds(1)) throws -> Duration {
        try lendBefore()
        schedule(.arrival, in: .zero)
        while firstServed == nil || now < outage {
            let next = try #require(events.indices.min { events[$0].at < events[$1].at })
            let (at, event) = events.remove(at: next)
            now = at
            try happen(event)
            if now >= outage, firstServed == nil, let first = waiting.values.min() {
                try #require(now - max(first, outage) < limit, "the first waits since \(first), it is \(now)")
            }
        }
        // A dead server is not stormed.
        let seconds = Int(outage.components.seconds) + 1
        try #require(attempts <= 10 + 6 * seconds, "\(attempts) attempts in \(seconds) s")
        return firstServed!
    }

    /// All connections are lent, and lost when the outage begins.
    private mutating func lendBefore() throws {
        var opening = (0..<pool.limits.maximum).flatMap { pool.wait($0, at: now).actions.opens }
        var slots: [PoolSlot] = []
        while let slot = opening.popLast() {
            let actions = pool.connectSucceeded(slot, name(), at: now)
            opening += actions.opens
            if let (lease, _) = actions.handOff { slots.append(lease.slot) }
        }
        try #require(slots.count == pool.limits.maximum)
        for slot in slots { try apply(pool.release(slot, .broken(.serverGone), at: now)) }
    }

    private mutating func happen(_ event: Event) throws {
        switch event {
        case .attemptEnds(let slot, let succeeds):
            if succeeds {
                try apply(pool.connectSucceeded(slot, name(), at: now))
            } else {
                let jitter = Double.random(in: -1...1, using: &random)
                try apply(pool.connectFailed(slot, isPermanent: false, jitter: jitter, at: now))
            }
        case .closeEnds(let slot): try apply(pool.closeFinished(slot, at: now))
        case .backoff(let number): try apply(pool.backoffElapsed(number, at: now))
        case .patience(let number): try apply(pool.patienceElapsed(number, at: now))
        case .release(let slot): try apply(pool.release(slot, .reusable, at: now))
        case .deadline(let ticket):
            if let waiter = pool.cancelWaiter(ticket) { waiting[waiter] = nil }
        case .arrival:
            schedule(
                .arrival, in: .microseconds(Int.random(in: 0...longestGap.inMicroseconds, using: &random)))
            guard waiting.count < 30 else { return }
            if let lease = pool.tryAcquire(at: now) {
                noteServed(since: now)
                return schedule(.release(lease.slot), in: .milliseconds(5))
            }
            let waiter = name()
            let (ticket, actions) = pool.wait(waiter, at: now)
            waiting[waiter] = now
            schedule(.deadline(try #require(ticket)), in: .seconds(10))
            try apply(actions)
        }
    }

    private mutating func apply(_ actions: Machine.Actions) throws {
        try #require(actions.refusals.isEmpty)
        if let (lease, waiter) = actions.handOff {
            noteServed(since: waiting.removeValue(forKey: waiter) ?? now)
            schedule(.release(lease.slot), in: .milliseconds(5))
        }
        for slot in actions.opens { begin(slot) }
        for slot in actions.abandons {
            abandoned += 1
            events.removeAll { if case .attemptEnds(slot, _) = $0.event { true } else { false } }
            schedule(.attemptEnds(slot, succeeds: false), in: .milliseconds(2))
        }
        for close in actions.closes {
            schedule(.closeEnds(close.lease.slot), in: .milliseconds(Int.random(in: 0...500, using: &random)))
        }
        if let (delay, number) = actions.backoff { schedule(.backoff(number), in: delay) }
        if let (delay, number) = actions.patience { schedule(.patience(number), in: delay) }
    }

    private mutating func begin(_ slot: PoolSlot) {
        guard let phase = phases.first(where: { now < $0.until }) else {
            let time = slowness + .milliseconds(Int.random(in: 1...100, using: &random))
            return schedule(.attemptEnds(slot, succeeds: true), in: time)
        }
        attempts += 1
        let milliseconds: Int
        switch phase.kind {
        case .refusing: milliseconds = Int.random(in: 0...5, using: &random)
        case .starting: milliseconds = Int.random(in: 1...50, using: &random)
        case .silent:
            milliseconds = 10_000
            hung += 1
        case .cutting: milliseconds = Int.random(in: 1...2000, using: &random)
        }
        schedule(.attemptEnds(slot, succeeds: false), in: .milliseconds(milliseconds))
    }

    private mutating func noteServed(since: Duration) {
        if now >= outage, firstServed == nil { firstServed = now - max(since, outage) }
    }

    private mutating func schedule(_ event: Event, in delay: Duration) { events.append((now + delay, event)) }

    private mutating func name() -> Int {
        names += 1
        return names
    }
}

extension Duration {
    var inMicroseconds: Int {
        Int(components.seconds) * 1_000_000 + Int(components.attoseconds / 1_000_000_000_000)
    }
}
