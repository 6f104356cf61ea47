import ConnectionPools
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct PostgresPoolDeadlockTests {
    @Test func aGreenletThatTakesTheOnlyConnectionTwiceIsToldAtOnce() async throws {
        try await Database().withPool(.init(label: "films", maximum: 1)) { (pool, _) async throws in
            let greenlet = Greenlet.spawn(name: "greedy") { () async throws in
                try await pool.withConnection(label: "outer", timeout: .seconds(50)) { _ in
                    try await pool.withConnection(label: "inner", timeout: .seconds(50)) { _ in }
                }
            }
            let error = try await failure { try await greenlet.get() }
            #expect(error.code == .poolDeadlock && !error.isRetrySafe)
            for part in ["\"films\"", "\"outer\"", "\"greedy\"", "PostgresPoolDeadlockTests.swift:"] {
                #expect(error.message.contains(part), "\(error)")
            }
            #expect(pool.statistics.deadlocks == 1 && pool.statistics.counts.borrowed == 0)
        }
    }

    @Test func theSameHoldsForSynchronousCodeAndForTransactions() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            let greenlet = Greenlet.spawn { () throws in
                // Without that the statement would be part of the transaction.
                try pool.transaction { (_) throws in
                    _ = try pool.outsideTransaction { try pool.execute("SELECT 1") }
                }
            }
            #expect(try await failure { try await greenlet.get() }.code == .poolDeadlock)
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
        }
    }

    @Test func ofTwoThatWaitForEachOtherTheLastIsToldAndTheFirstServed() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, _) async throws in
            var holding = 0
            @ReactorActor func worker(_ name: String) -> Greenlet<Int> {
                Greenlet.spawn(name: name) { () async throws in
                    try await pool.withConnection(label: "of \(name)", timeout: .seconds(50)) { _ in
                        holding += 1
                        while holding < 2 { await Greenlet.yield() }
                        return try await pool.one(Int.self, "SELECT 1")
                    }
                }
            }
            let greenlets = [worker("ann"), worker("bob")]
            var results: [Int] = []
            var errors: [PostgresError] = []
            for greenlet in greenlets {
                do { results.append(try await greenlet.get()) } catch let error as PostgresError {
                    errors.append(error)
                }
            }
            #expect(results == [1] && errors.map(\.code) == [.poolDeadlock])
            #expect(errors.first?.message.contains("\"of ann\"") == true)
            #expect(errors.first?.message.contains("\"bob\"") == true)
        }
    }

    @Test func statementsThatMayShareConnectionsAreNoWayAroundTheClaim() async throws {
        let options = PostgresPoolOptions(
            maximum: 2, acquireTimeout: .seconds(20), mode: .multiplexed(connections: 1))
        try await Database().withPool(options) { (pool, _) async throws in
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            var holding = 0
            let greenlets = (0..<2).map { _ in
                Greenlet.spawn { () async throws in
                    try await pool.withConnection(timeout: .seconds(50)) { _ in
                        holding += 1
                        while holding < 2 { await Greenlet.yield() }
                        return try await pool.one(Int.self, "SELECT 1")
                    }
                }
            }
            var results: [Int] = []
            var errors: [PostgresError] = []
            for greenlet in greenlets {
                do { results.append(try await greenlet.get()) } catch let error as PostgresError {
                    errors.append(error)
                }
            }
            #expect(results == [1] && errors.map(\.code) == [.poolDeadlock])
            #expect(pool.statistics.deadlocks == 1)
        }
    }

    @Test func aHolderThatDoesSomethingElsePreventsTheClaim() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, _) async throws in
            try await fill(pool)
            let busy = Greenlet.spawn { try await pool.one(Int.self, "SELECT 1 FROM pg_sleep(0.2)") }
            let nested = Greenlet.spawn { () async throws -> Int in
                try await pool.withConnection { _ in
                    while pool.statistics.counts.borrowed < 2 { await Greenlet.yield() }
                    return try await pool.one(Int.self, "SELECT 2")
                }
            }
            #expect(try await nested.get() == 2)
            #expect(try await busy.get() == 1)
            #expect(pool.statistics.deadlocks == 0)
        }
    }

    @Test func childTasksOfOneGreenletAreNotTakenForOneAnother() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            let greenlet = Greenlet.spawn { () async throws -> Int in
                // One child waits while the other, of the same greenlet, holds the connection and will give it back.
                async let first = pool.one(Int.self, "SELECT 1 FROM pg_sleep(0.1)")
                async let second = pool.one(Int.self, "SELECT 2")
                return try await first + second
            }
            #expect(try await greenlet.get() == 3)
            #expect(pool.statistics.deadlocks == 0)
        }
    }

    @Test func aManualLeaseIsNoGroundForAClaim() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            let greenlet = Greenlet.spawn { () async throws -> Int in
                let lease = try await pool.lease()
                // Somebody else ends it.
                reactor.callLater(.milliseconds(30)) { lease.end() }
                return try await pool.one(Int.self, "SELECT 1")
            }
            #expect(try await greenlet.get() == 1)
        }
    }
}
