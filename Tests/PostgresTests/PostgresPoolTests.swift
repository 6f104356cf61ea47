import Glibc
import ConnectionPools
import Greenlets
import LocalPostgres
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct PostgresPoolTests {
    @Test func theServerNeverSeesMoreThanTheMaximum() async throws {
        try await Database().withPool(.init(maximum: 4)) { (pool, watcher) async throws in
            var most = 0
            let observer = Greenlet.spawn { () async throws in
                while true {
                    most = max(most, try await watcher.sessions())
                    await Greenlet.yield()
                }
            }
            let greenlets = (0..<50).map { number in
                Greenlet.spawn { () throws in
                    for round in 0..<20 {
                        let value = try pool.one(
                            Int.self, "SELECT \(number * 100 + round)::int FROM pg_sleep(0.0005)")
                        #expect(value == number * 100 + round)
                    }
                }
            }
            for greenlet in greenlets { try await greenlet.get() }
            observer.cancel()
            _ = try await observer.join()
            #expect(most == 4 && pool.statistics.connectsSucceeded == 4 && pool.statistics.acquired == 1000)
        }
    }

    @Test func theMaximumHoldsWhileBrokenConnectionsAreReplaced() async throws {
        try await Database().withPool(.init(maximum: 3)) { (pool, watcher) async throws in
            var most = 0
            let observer = Greenlet.spawn { () async throws in
                while true {
                    most = max(most, try await watcher.sessions())
                    await Greenlet.yield()
                }
            }
            let greenlets = (0..<12).map { number in
                Greenlet.spawn { () async throws in
                    for round in 0..<10 {
                        if (number + round) % 5 == 0 {
                            try await pool.withConnection { await $0.close() }
                        } else {
                            _ = try? await pool.execute("SELECT pg_sleep(0.001)")
                        }
                    }
                }
            }
            for greenlet in greenlets { try await greenlet.get() }
            observer.cancel()
            _ = try await observer.join()
            #expect(most <= 3 && pool.statistics.counts.total <= 3)
        }
    }

    @Test func terminatedIdleConnectionsAreGoneBeforeAnybodyBorrowsThem() async throws {
        try await Database().withPool(.init(maximum: 5)) { (pool, watcher) async throws in
            try await fill(pool)
            #expect(pool.statistics.counts.idle == 5)
            #expect(try await watcher.terminateAll() == 5)
            // At once, without a turn in between: what is borrowed is alive nevertheless.
            let greenlets = (0..<10).map { _ in Greenlet.spawn { try await pool.one(Int.self, "SELECT 1") } }
            for greenlet in greenlets { #expect(try await greenlet.get() == 1) }
            #expect(pool.statistics.connectsFailed == 0)
        }
    }

    @Test func idleConnectionsThatDieAreEvictedWithoutBeingTouched() async throws {
        try await Database().withPool(.init(maximum: 5)) { (pool, watcher) async throws in
            try await fill(pool)
            try await watcher.terminateAll()
            #expect(try await eventually { pool.statistics.counts.total == 0 })
            #expect(pool.statistics.connectionsLost >= 1)
        }
    }

    @Test(arguments: [LocalCluster.StopMode.fast, .immediate])
    func aRestartOfTheServerIsSurvived(mode: LocalCluster.StopMode) async throws {
        let cluster = try LocalCluster.temporary()
        defer { cluster.stop() }
        let configuration = try PostgresConfiguration(cluster.url)
        try await withReactor { (reactor) async throws in
            let pool = PostgresPool(configuration, .init(maximum: 5))
            try await fill(pool)
            try await reactor.threadPool.run { try cluster.restart(mode: mode) }
            let start = reactor.now
            let greenlets = (0..<10).map { _ in Greenlet.spawn { try pool.one(Int.self, "SELECT 1") } }
            for greenlet in greenlets { #expect(try await greenlet.get() == 1) }
            #expect(start.duration(to: reactor.now) < .seconds(9))
            await pool.close()
        }
    }

    @Test func whileTheServerIsDownBorrowersFailInTimeAndAreToldWhyAndAfterwardsAllIsWell() async throws {
        let cluster = try LocalCluster.temporary()
        defer { cluster.stop() }
        let configuration = try PostgresConfiguration(cluster.url)
        try await withReactor { (reactor) async throws in
            let pool = PostgresPool(
                configuration, .init(label: "films", maximum: 5, acquireTimeout: .milliseconds(300)))
            try await fill(pool)
            let process = try #require(cluster.serverProcessID)
            kill(process, SIGKILL)
            #expect(try await eventually { pool.statistics.counts.idle == 0 })
            for _ in 1...3 {
                let start = reactor.now
                let error = try await failure { try await pool.execute("SELECT 1") }
                #expect(error.code == .acquireTimedOut && error.description.contains("\"films\""))
                #expect(error.description.contains("the last connect failed: cannot connect to"))
                #expect(!error.description.contains("\n"))
                #expect(start.duration(to: reactor.now) < .seconds(8))
            }
            let patient = Greenlet.spawn {
                try await pool.withConnection(timeout: .seconds(30)) {
                    try await $0.one(Int.self, "SELECT 1")
                }
            }
            try await reactor.threadPool.run { try cluster.restart(mode: .immediate) }
            #expect(try await patient.get() == 1)
            try await fill(pool)
            #expect(pool.statistics.lastConnectError == nil)
            await pool.close()
        }
    }

    @Test func aBorrowerThatWaitsTooLongIsToldHowThePoolStands() async throws {
        try await Database().withPool(.init(label: "films", maximum: 1)) { (pool, _) async throws in
            try await pool.withConnection { (_) async throws in
                let error = try await failure {
                    try await pool.withConnection(timeout: .milliseconds(30)) { _ in }
                }
                #expect(error.code == .acquireTimedOut && error.isTimeout && error.isRetrySafe)
                #expect(error.message.contains("\"films\"") && error.message.contains("1 borrowed"))
                #expect(pool.statistics.counts.waiting == 0)
            }
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
        }
    }

    @Test func borrowersAreServedInTheOrderOfTheirArrival() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            var order: [Int] = []
            let greenlets = try await pool.withConnection { (_) async throws in
                let greenlets = (0..<20).map { number in
                    Greenlet.spawn { () async throws in
                        try await pool.withConnection { (_) async throws in
                            order.append(number)
                            await Greenlet.yield()
                        }
                    }
                }
                await Greenlet.yield()
                await Greenlet.yield()
                return greenlets
            }
            for greenlet in greenlets { try await greenlet.get() }
            #expect(order == Array(0..<20))
        }
    }

    @Test func aConnectionReturnedInsideATransactionIsRolledBack() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            let process = try await pool.withConnection { (connection) async throws in
                try await connection.script("CREATE TABLE t (n int); BEGIN; INSERT INTO t VALUES (1)")
                return connection.processID
            }
            try await pool.withConnection { (connection) async throws in
                #expect(connection.processID == process && connection.transactionStatus == .idle)
                #expect(
                    try await connection.one(Int.self, "SELECT count(*) FROM pg_class WHERE relname = 't'")
                        == 0)
            }
            #expect(pool.statistics.rolledBackOnReturn == 1)
        }
    }

    @Test func aConnectionThatEscapesItsScopeIsDead() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            let escaped = try await pool.withConnection { $0 }
            let error = try await failure { try await escaped.execute("SELECT 1") }
            #expect(error.code == .connectionClosed && error.message.contains("withConnection"))
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            // Its next borrower's statement is not touched by whoever had it before.
            let next = Greenlet.spawn { () async throws -> Int32 in
                try await pool.withConnection { connection in
                    await escaped.close()
                    try await connection.execute("SELECT 1")
                    return connection.processID
                }
            }
            #expect(try await next.get() == escaped.processID)
        }
    }

    @Test func aMissingDatabaseFailsAllBorrowersAtOnce() async throws {
        let configuration = try Database().configuration.withDatabase("missing")
        try await withReactor { (reactor) async throws in
            let pool = PostgresPool(configuration)
            let start = reactor.now
            let greenlets = (0..<20).map { _ in
                Greenlet.spawn { try await failure { try await pool.execute("SELECT 1") } }
            }
            for greenlet in greenlets { #expect(try await greenlet.get().sqlState == .invalidCatalogName) }
            #expect(start.duration(to: reactor.now) < .seconds(9))
            await pool.close()
        }
    }

    @Test func tooManyWaitersAreRefusedAtOnce() async throws {
        try await Database().withPool(.init(maximum: 1, maximumWaiting: 1)) { (pool, _) async throws in
            let lease = try await pool.acquire(timeout: .seconds(5))
            let waiting = Greenlet.spawn { try await pool.one(Int.self, "SELECT 1") }
            while pool.statistics.counts.waiting < 1 { await Greenlet.yield() }
            let error = try await failure { try await pool.execute("SELECT 1") }
            #expect(error.code == .tooManyWaiting)
            pool.release(lease)
            #expect(try await waiting.get() == 1)
        }
    }

    @Test func closingWaitsForBorrowersThenCancelsThem() async throws {
        let database = try Database()
        try await withReactor { (reactor) async throws in
            let pool = PostgresPool(database.configuration, .init(maximum: 3))
            let watcher = try await Watcher(database.configuration)
            try await fill(pool)
            let quick = Greenlet.spawn { try await pool.one(Int.self, "SELECT 1 FROM pg_sleep(1)") }
            let slow = Greenlet.spawn { try await failure { try await pool.execute("SELECT pg_sleep(60)") } }
            #expect(try await eventually { try await watcher.active() == 2 })
            let start = reactor.now
            await pool.close(grace: .seconds(4))
            #expect(start.duration(to: reactor.now) < .seconds(30), "the other takes a minute")
            #expect(try await quick.get() == 1)
            #expect(try await slow.get().code == .poolClosed)
            #expect(try await watcher.sessions() == 0)
            let refused = try await failure { try await pool.execute("SELECT 1") }
            #expect(refused.code == .poolClosed)
            await pool.close()
            await watcher.connection.close()
        }
    }

    @Test func closingDoesNotWaitForABorrowerThatNeverReturns() async throws {
        let database = try Database()
        try await withReactor { (reactor) async throws in
            let pool = PostgresPool(database.configuration, .init(maximum: 1))
            let lease = try await pool.acquire(timeout: .seconds(5))
            await pool.close(grace: .milliseconds(10))
            let error = try await failure { _ = try await lease.connection.query("SELECT 1", timeout: nil) }
            #expect(error.code == .connectionClosed)
            pool.release(lease)
            await pool.close()
        }
    }

    @Test func aPoolThatIsDroppedLeavesNoSession() async throws {
        let database = try Database()
        try await withReactor { (_) async throws in
            let watcher = try await Watcher(database.configuration)
            do {
                let pool = PostgresPool(database.configuration, .init(maximum: 2))
                try await fill(pool)
            }
            #expect(try await eventually { try await watcher.sessions() == 0 })
            await watcher.connection.close()
        }
    }

    @Test func aPoolMadeOffTheReactorAndNeverUsedCloses() async throws {
        let pool = PostgresPool(try Database().configuration)
        try await withReactor { _ in await pool.close() }
    }
}
