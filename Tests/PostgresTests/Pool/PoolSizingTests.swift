import ConnectionPools
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct PoolSizingTests {
    @Test func warmingUpWaitsForTheMinimum() async throws {
        try await Database().withPool(.init(maximum: 5, minimum: 3)) { (pool, watcher) async throws in
            #expect(pool.statistics.counts.total == 0)
            try await pool.warmUp()
            #expect(pool.statistics.counts.idle == 3)
            #expect(try await watcher.sessions() == 3)
            try await pool.warmUp()
        }
    }

    @Test func theFirstUseOpensTheMinimumInTheBackground() async throws {
        try await Database().withPool(.init(maximum: 5, minimum: 3)) { (pool, _) async throws in
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            #expect(try await eventually { pool.statistics.counts.idle == 3 })
        }
    }

    @Test func warmingUpSaysAtOnceWhatIsWrongForGood() async throws {
        let configuration = try Database().configuration.withDatabase("missing")
        try await withReactor { (_) async throws in
            let pool = PostgresPool(configuration, .init(minimum: 2))
            #expect(try await failure { try await pool.warmUp() }.sqlState == .invalidCatalogName)
            await pool.close()
            #expect(try await failure { try await pool.warmUp() }.code == .poolClosed)
        }
    }

    @Test func lostConnectionsOfTheMinimumAreReplaced() async throws {
        try await Database().withPool(.init(maximum: 3, minimum: 2)) { (pool, watcher) async throws in
            try await pool.warmUp()
            try await watcher.terminateAll()
            #expect(try await eventually { pool.statistics.connectsSucceeded == 4 })
            #expect(try await eventually { pool.statistics.counts.idle == 2 })
        }
    }

    @Test func readyOnesAreKeptBesideThoseInUse() async throws {
        var options = PostgresPoolOptions(maximum: 4)
        options.minimumIdle = 1
        try await Database().withPool(options) { (pool, _) async throws in
            try await pool.withConnection { (_) async throws in
                #expect(try await eventually { pool.statistics.counts.idle == 1 })
                try await pool.withConnection { (_) async throws in
                    #expect(try await eventually { pool.statistics.counts.idle == 1 })
                }
            }
        }
    }

    @Test func resizingServesThoseWhoWaitAndShrinksNobodysConnection() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            try await pool.withConnection { (connection) async throws in
                let other = Greenlet.spawn { try await pool.one(Int.self, "SELECT 1 FROM pg_sleep(0.05)") }
                while pool.statistics.counts.waiting < 1 { await Greenlet.yield() }
                pool.resize(maximum: 2)
                #expect(try await other.get() == 1)
                pool.resize(maximum: 1)
                #expect(try await eventually { try await watcher.sessions() == 1 })
                #expect(try await connection.one(Int.self, "SELECT 2") == 2)
            }
            #expect(pool.statistics.evictions == [.shrunk: 1] && pool.statistics.counts.idle == 1)
            pool.resize(minimum: 3, maximum: 3)
            #expect(try await eventually { pool.statistics.counts.idle == 3 })
        }
    }

    @Test func idleConnectionsBeyondTheMinimumAreClosed() async throws {
        var options = PostgresPoolOptions(maximum: 4, minimum: 1)
        options.idleTimeout = .milliseconds(50)
        try await Database().withPool(options) { (pool, _) async throws in
            try await fill(pool)
            #expect(try await eventually { pool.statistics.counts.total == 1 })
            #expect(pool.statistics.evictions == [.idle: 3])
        }
    }

    @Test func oldConnectionsAreReplacedAndNeverInUse() async throws {
        var options = PostgresPoolOptions(maximum: 3, minimum: 2)
        options.maximumLifetime = .milliseconds(100)
        try await Database().withPool(options) { (pool, _) async throws in
            try await pool.warmUp()
            try await pool.withConnection { (connection) async throws in
                let process = connection.processID
                #expect(try await eventually { pool.statistics.evictions[.lifetime, default: 0] >= 3 })
                #expect(try await connection.one(Int32.self, "SELECT pg_backend_pid()") == process)
            }
            #expect(pool.statistics.evictions.keys.allSatisfy { $0 == .lifetime })
            #expect(pool.statistics.connectsSucceeded >= 4)
        }
    }

    @Test func aPausedPoolHoldsBorrowersUntilItResumes() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, watcher) async throws in
            try await fill(pool)
            pool.pause()
            #expect(pool.statistics.isPaused)
            let late = try await failure {
                try await pool.withConnection(timeout: .milliseconds(20)) { _ in }
            }
            #expect(late.code == .acquireTimedOut && late.message.contains("it is paused"))
            let greenlets = (0..<6).map { number in
                Greenlet.spawn { try await pool.one(Int.self, "SELECT \(number)::int") }
            }
            while pool.statistics.counts.waiting < 6 { await Greenlet.yield() }
            #expect(try await watcher.active() == 0)
            pool.resume()
            for (number, greenlet) in greenlets.enumerated() { #expect(try await greenlet.get() == number) }
        }
    }

    @Test func recyclingReplacesAllWithoutAnErrorToAnybody() async throws {
        try await Database().withPool(.init(maximum: 4)) { (pool, _) async throws in
            try await fill(pool)
            let before = Set(pool.machine.connections.map(\.processID))
            var isOver = false
            let users = (0..<8).map { _ in
                Greenlet.spawn { () async throws in
                    while !isOver { _ = try await pool.execute("SELECT pg_sleep(0.001)") }
                }
            }
            try await reactor.sleep(for: .milliseconds(20))
            pool.recycle()
            #expect(
                try await eventually { before.isDisjoint(with: pool.machine.connections.map(\.processID)) })
            isOver = true
            for user in users { try await user.get() }
            #expect(pool.statistics.evictions == [.recycled: 4])
        }
    }

    @Test func aDroppedPoolTakesItsTimersAlong() async throws {
        let database = try Database()
        // withReactor fails when a timer is left.
        try await withReactor { (_) async throws in
            let watcher = try await Watcher(database.configuration)
            do {
                let pool = PostgresPool(database.configuration, .init(maximum: 2, minimum: 1))
                try await fill(pool)
                #expect(pool.upkeepTimer?.isActive == true)
            }
            #expect(try await eventually { try await watcher.sessions() == 0 })
            await watcher.connection.close()
        }
    }
}
