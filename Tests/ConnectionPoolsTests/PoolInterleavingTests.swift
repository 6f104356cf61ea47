import Testing

@testable import ConnectionPools

/// Drives the machine through long random histories and checks its promises after every step.
@Suite struct PoolInterleavingTests {
    @Test func promisesHoldAfterEveryStepOfRandomHistories() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var total = PoolWorld.Tally()
        for history in 0..<60 as Range<UInt64> {
            do {
                var world = PoolWorld(seed: seed &+ history)
                for _ in 0..<2500 { try world.step() }
                try world.settle()
                try world.shutDown(force: history % 2 == 0)
                try world.settle()
                try #require(world.isDrained)
                total.add(world.tally)
            } catch {
                Issue.record("PoolWorld(seed: \(seed &+ history)) fails: \(error)")
                throw error
            }
        }
        // The histories came by what they were to come by.
        #expect(total.steps >= 100_000 && total.served > 10_000, "\(total)")
        #expect(total.deadlocks > 100 && total.leaks > 100 && total.abandons > 20, "\(total)")
        #expect(PoolEviction.allReasons.allSatisfy { total.closes[$0, default: 0] > 50 }, "\(total)")
    }
}

extension PoolEviction {
    static let allReasons: [PoolEviction] = [
        .lifetime, .idle, .lost, .swept, .recycled, .shrunk, .poolClosed,
    ]
}
