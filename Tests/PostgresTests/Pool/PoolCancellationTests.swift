import ConnectionPools
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct PoolCancellationTests {
    /// Both orders: cancelled while queued, and in the very turn in which the connection was handed over.
    @Test(arguments: [true, false])
    func aCancelledWaiterLosesOnlyItsOwnPlace(beforeHandOff: Bool) async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            var served: [Int] = []
            for round in 0..<10_000 {
                served = []
                let lease = try await pool.acquire(timeout: .seconds(60))
                let greenlets = (0..<2).map { number in
                    Greenlet.spawn { () async throws in
                        try await pool.withConnection(timeout: .seconds(60)) { _ in served.append(number) }
                    }
                }
                while pool.statistics.counts.waiting < 2 { await Greenlet.yield() }
                if beforeHandOff { greenlets[0].cancel() }
                pool.release(lease)
                if !beforeHandOff { greenlets[0].cancel() }
                for greenlet in greenlets { try await greenlet.join() }
                try #require(served == [1], "round \(round)")
            }
            #expect(pool.statistics.counts.borrowed == 0 && pool.statistics.connectsSucceeded == 1)
            #expect(pool.statistics.acquireCancels == 10_000)
        }
    }

    /// A borrower that is killed at any moment of its loan leaves nothing behind.
    @Test func aBorrowerKilledAtAnyMomentGivesItsPlaceBack() async throws {
        var options = PostgresPoolOptions(maximum: 2)
        options.checkAfterIdle = .zero
        options.hooks.onAcquire = { connection, _ in try await connection.one(Bool.self, "SELECT true") }
        options.hooks.onRelease = { connection in try await connection.one(Bool.self, "SELECT true") }
        try await Database().withPool(options) { (pool, watcher) async throws in
            try await pool.warmUp()
            for delay in 0..<60 {
                let victims = (0..<4).map { _ in
                    Greenlet.spawn { () async throws in
                        try await pool.withConnection { c in _ = try await c.execute("SET work_mem = '1MB'") }
                    }
                }
                try await reactor.sleep(for: .microseconds(delay * 50))
                for victim in victims { victim.cancel() }
                for victim in victims { try await victim.join() }
            }
            #expect(try await eventually { pool.statistics.counts.borrowed == 0 })
            #expect(pool.statistics.counts.waiting == 0 && pool.statistics.counts.total <= 2)
            let users = (0..<8).map { _ in Greenlet.spawn { try await pool.one(Int.self, "SELECT 1") } }
            for user in users { #expect(try await user.get() == 1) }
            #expect(try await watcher.sessions() <= 2)
        }
    }
}
