import Testing

@testable import ConnectionPools

/// Drives the machine through a long random history and checks its promises after every step.
@Suite struct PoolInterleavingTests {
    /// SplitMix64, so that a printed seed repeats the history.
    struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    /// A world around the machine that only believes what the actions tell it.
    struct World {
        var pool: Machine
        var random: Random
        var opening: [PoolSlot] = []
        var borrowed: [PoolSlot: Int] = [:]
        var idle: [PoolSlot: Int] = [:]
        var closing: [PoolSlot] = []
        var waiting: [(waiter: Int, ticket: PoolTicket)] = []
        var handedLate: [PoolTicket] = []
        var backoff: UInt64?
        var names = 0
        var now = Duration.zero
        var isDown = false
        var isDrained = false
        var served = 0

        init(seed: UInt64) {
            random = Random(state: seed)
            pool = Machine(
                limits: PoolLimits(
                    maximum: Int.random(in: 1...8, using: &random),
                    maximumOpening: Int.random(in: 1...4, using: &random), maximumWaiting: 40))
        }

        mutating func name() -> Int {
            names += 1
            return names
        }

        /// A dictionary's own order differs between runs, and a seed must repeat a history.
        func inOrder(_ slots: [PoolSlot: Int]) -> [PoolSlot] { slots.keys.sorted { $0.serial < $1.serial } }

        mutating func apply(_ actions: Machine.Actions) throws {
            for lease in actions.closes {
                // A close takes a connection that was idle, just returned or just opened.
                idle[lease.slot] = nil
                try #require(borrowed[lease.slot] == nil)
                try #require(!closing.contains(lease.slot))
                closing.append(lease.slot)
            }
            if let (lease, waiter) = actions.handOff {
                try #require(waiting.first?.waiter == waiter, "the head is served first")
                handedLate.append(waiting.removeFirst().ticket)
                try #require(borrowed[lease.slot] == nil && !closing.contains(lease.slot))
                borrowed[lease.slot] = lease.connection
                served += 1
            }
            for (waiter, reason) in actions.refusals where reason != .tooManyWaiting {
                waiting.removeAll { $0.waiter == waiter }
            }
            try #require(!isDown || actions.opens.isEmpty, "a closed pool opens nothing")
            for slot in actions.opens {
                try #require(!opening.contains(slot))
                opening.append(slot)
            }
            if let armed = actions.backoff { backoff = armed.number }
            try #require(backoff == nil || actions.opens.isEmpty, "nothing is opened during a back-off")
            if actions.isDrained {
                try #require(isDown && opening.isEmpty && borrowed.isEmpty && closing.isEmpty && idle.isEmpty)
                isDrained = true
            }
        }

        mutating func check() throws {
            let counts = pool.counts
            try #require(counts.opening == opening.count && counts.borrowed == borrowed.count)
            try #require(counts.idle == idle.count && counts.closing == closing.count)
            try #require(counts.waiting == waiting.count)
            try #require(counts.opening <= pool.limits.maximumOpening)
            try #require(waiting.isEmpty || idle.isEmpty, "nobody waits beside an idle connection")
            let mayOpen = counts.total < counts.maximum && backoff == nil
            let parallel = pool.failuresInARow > 0 ? 1 : pool.limits.maximumOpening
            try #require(
                !mayOpen || counts.opening >= min(parallel, counts.waiting), "a free place wakes the head")
        }

        /// One event. The bound holds unless a resize made it smaller just now.
        mutating func step() throws {
            now += .milliseconds(1)
            let total = pool.counts.total
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<34: try borrow()
            case 34..<58: try giveBack()
            case 58..<70: try finishConnect()
            case 70..<80:
                guard let slot = closing.randomElement(using: &random) else { return }
                closing.removeAll { $0 == slot }
                try apply(pool.closeFinished(slot, at: now))
            case 80..<86:
                guard let entry = waiting.randomElement(using: &random) else { return }
                try #require(pool.cancelWaiter(entry.ticket) == entry.waiter)
                waiting.removeAll { $0.ticket == entry.ticket }
            case 86..<89:
                guard let ticket = handedLate.randomElement(using: &random) else { return }
                try #require(pool.cancelWaiter(ticket) == nil)
            case 89..<93:
                guard let number = backoff else { return }
                backoff = nil
                try apply(pool.backoffElapsed(number, at: now))
            case 93..<98:
                guard let slot = inOrder(idle).randomElement(using: &random) else { return }
                let loss: PoolLoss = Bool.random(using: &random) ? .alone : .serverGone
                try apply(pool.idleConnectionLost(slot, loss, at: now))
            case 98:
                try apply(pool.resize(to: Int.random(in: 1...8, using: &random), at: now))
            default:
                try apply(pool.recycle(at: now))
            }
            try #require(pool.counts.total <= max(pool.counts.maximum, total))
            try check()
        }

        mutating func borrow() throws {
            if let lease = pool.tryAcquire(at: now) {
                try #require(waiting.isEmpty, "newcomers do not barge")
                try #require(idle.removeValue(forKey: lease.slot) == lease.connection)
                borrowed[lease.slot] = lease.connection
                served += 1
                return
            }
            try #require(idle.isEmpty || isDown)
            let waiter = name()
            let (ticket, actions) = pool.wait(waiter, at: now)
            if let ticket { waiting.append((waiter, ticket)) }
            try apply(actions)
        }

        mutating func giveBack() throws {
            guard let slot = inOrder(borrowed).randomElement(using: &random),
                let connection = borrowed.removeValue(forKey: slot)
            else { return }
            let dice = Int.random(in: 0..<10, using: &random)
            let condition: PoolReturn =
                dice < 8 ? .reusable : .broken(dice == 8 ? .alone : .serverGone)
            let actions = pool.release(slot, condition, at: now)
            if actions.handOff == nil, actions.closes.isEmpty { idle[slot] = connection }
            try apply(actions)
        }

        mutating func finishConnect() throws {
            guard let slot = opening.randomElement(using: &random) else { return }
            opening.removeAll { $0 == slot }
            let dice = Int.random(in: 0..<10, using: &random)
            if dice < 7 {
                let connection = name()
                let actions = pool.connectSucceeded(slot, connection, at: now)
                // A success ends the back-off; the timer of the shell is out of date.
                backoff = nil
                if actions.handOff == nil, actions.closes.isEmpty { idle[slot] = connection }
                try apply(actions)
            } else {
                try apply(
                    pool.connectFailed(
                        slot, isPermanent: dice == 9, jitter: Double.random(in: -1...1, using: &random),
                        at: now))
            }
        }

        /// Lets everything under way end well: whoever still waits must then be served.
        mutating func settle() throws {
            var rounds = 0
            while !waiting.isEmpty || !closing.isEmpty || !opening.isEmpty || !borrowed.isEmpty {
                rounds += 1
                try #require(rounds < 10_000, "somebody waits for ever: \(pool.counts)")
                if let number = backoff {
                    backoff = nil
                    try apply(pool.backoffElapsed(number, at: now))
                }
                for slot in opening {
                    opening.removeAll { $0 == slot }
                    let connection = name()
                    let actions = pool.connectSucceeded(slot, connection, at: now)
                    backoff = nil
                    if actions.handOff == nil, actions.closes.isEmpty { idle[slot] = connection }
                    try apply(actions)
                }
                for slot in closing {
                    closing.removeAll { $0 == slot }
                    try apply(pool.closeFinished(slot, at: now))
                }
                for slot in inOrder(borrowed) {
                    guard let connection = borrowed.removeValue(forKey: slot) else { continue }
                    let actions = pool.release(slot, .reusable, at: now)
                    if actions.handOff == nil, actions.closes.isEmpty { idle[slot] = connection }
                    try apply(actions)
                }
                if !isDown { try check() }
            }
        }
    }

    @Test func promisesHoldAfterEveryStepOfRandomHistories() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("PoolInterleavingTests seed \(seed)")
        var steps = 0
        var served = 0
        for history in 0..<60 as Range<UInt64> {
            var world = World(seed: seed &+ history)
            for _ in 0..<2500 {
                try world.step()
                steps += 1
            }
            try world.settle()
            try world.apply(
                { () -> Machine.Actions in
                    world.isDown = true
                    let actions = world.pool.shutDown(force: history % 2 == 0, at: world.now)
                    return actions
                }())
            try world.settle()
            try #require(world.isDrained)
            served += world.served
        }
        #expect(steps >= 100_000 && served > 10_000)
    }
}
