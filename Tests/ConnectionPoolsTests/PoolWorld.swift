import Testing

@testable import ConnectionPools

/// A world around the machine that only believes what the actions tell it.
struct PoolWorld {
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

    /// What a history came by.
    struct Tally {
        var steps = 0
        var served = 0
        var deadlocks = 0
        var leaks = 0
        var abandons = 0
        var closes: [PoolEviction: Int] = [:]

        mutating func add(_ other: Tally) {
            steps += other.steps
            served += other.served
            deadlocks += other.deadlocks
            leaks += other.leaks
            abandons += other.abandons
            closes.merge(other.closes, uniquingKeysWith: +)
        }
    }

    struct Waiting {
        let waiter: Int
        let ticket: PoolTicket?
        let greenlet: Int
    }

    struct Loan {
        let connection: Int
        let greenlet: Int
        let since: Duration
        var isTold = false
    }

    struct Rest {
        let slot: PoolSlot
        let connection: Int
        let since: Duration
    }

    var pool: Machine
    var random: Random
    var opening: [PoolSlot] = []
    var borrowed: [PoolSlot: Loan] = [:]
    /// Longest idle first.
    var idle: [Rest] = []
    var closing: [PoolSlot] = []
    var expires: [PoolSlot: Duration] = [:]
    var waiting: [Waiting] = []
    var handedLate: [PoolTicket] = []
    var backoff: UInt64?
    var patience: UInt64?
    var names = 0
    var now = Duration.zero
    var isDown = false
    var isPaused = false
    var isInUse = false
    var isDrained = false
    var tally = Tally()

    init(seed: UInt64) {
        random = Random(state: seed)
        let maximum = Int.random(in: 1...8, using: &random)
        pool = Machine(
            limits: PoolLimits(
                maximum: maximum, minimum: Int.random(in: 0...maximum, using: &random),
                minimumIdle: Int.random(in: 0...2, using: &random),
                maximumOpening: Int.random(in: 1...4, using: &random), maximumWaiting: 40,
                maximumLifetime: .seconds(6), idleTimeout: .seconds(3), leakThreshold: .seconds(5),
                reuse: Bool.random(using: &random) ? .lastInFirstOut : .roundRobin))
    }

    mutating func name() -> Int {
        names += 1
        return names
    }

    /// A dictionary's own order differs between runs, and a seed must repeat a history.
    var slotsInUse: [PoolSlot] { borrowed.keys.sorted { $0.serial < $1.serial } }
}
