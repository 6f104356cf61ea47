import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import ConnectionPools
@testable import Postgres

@Suite struct AutomaticPoolTests {
    static func options(_ maximum: Int, acquireTimeout: Duration = .seconds(30)) -> PostgresPoolOptions {
        PostgresPoolOptions(maximum: maximum, acquireTimeout: acquireTimeout, mode: .automatic)
    }

    static let read: SQL = "SELECT \(Int32(1))"

    /// Has the pool know the read for a quick one. On a busy machine everything may be slow: there it takes 2 s.
    @ReactorActor
    static func learn(_ pool: PostgresPool) async throws {
        let multiplexer = try #require(pool.multiplexer)
        multiplexer.machine = .init(
            limits: Multiplexer.reliefLimits(pool.options.maximum, slowAfter: .seconds(2)))
        for _ in 0..<3 { try await pool.execute(read) }
    }

    /// How many statements have shared connections so far.
    @ReactorActor
    static func shared(_ pool: PostgresPool) -> UInt64 { (pool.multiplexer?.machine.nextSequence ?? 1) - 1 }

    @Test func readsShareTheConnectionsThatAreAllInUse() async throws {
        try await Database().withPool(Self.options(2)) { (pool, watcher) async throws in
            try await Self.learn(pool)
            let greenlets = (0..<60).map { number in
                Greenlet.spawn { () async throws in
                    for round in 0..<20 {
                        let value: Int = try await pool.one("SELECT \(Int32(number)) * 100 + \(Int32(round))")
                        #expect(value == number * 100 + round)
                    }
                }
            }
            for greenlet in greenlets { try await greenlet.get() }
            #expect(Self.shared(pool) > 0)
            #expect(try await watcher.sessions() <= 2)
            #expect(try await eventually { pool.statistics.counts.borrowed == 0 })
        }
    }

    @Test func whileConnectionsAreFreeNothingIsShared() async throws {
        try await Database().withPool(Self.options(8)) { (pool, _) async throws in
            try await Self.learn(pool)
            try await fill(pool)
            let greenlets = (0..<8).map { _ in
                Greenlet.spawn { for _ in 0..<20 { try await pool.execute(Self.read) } }
            }
            for greenlet in greenlets { try await greenlet.get() }
            #expect(Self.shared(pool) == 0)
        }
    }

    @Test func whileMoreRunThanThereAreConnectionsReadsStayTogether() async throws {
        try await Database().withPool(Self.options(3)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE gate (n int)")
            try await Self.learn(pool)
            for _ in 0..<3 { try await pool.execute("SELECT n FROM gate") }
            try await fill(pool)
            let locker = try await pool.lease()
            try await locker.connection.script("BEGIN; LOCK TABLE gate")
            let others = [try await pool.lease(), try await pool.lease()]
            let readers = (0..<4).map { _ in Greenlet.spawn { try await pool.execute("SELECT n FROM gate") } }
            #expect(try await eventually { pool.multiplexer?.machine.waiting == 4 })
            for other in others { other.end() }
            #expect(try await eventually { pool.multiplexer?.machine.outstanding == 4 })

            #expect(pool.statistics.counts.idle == 1)
            let late = Greenlet.spawn { try await pool.execute(Self.read) }
            #expect(try await eventually { Self.shared(pool) == 5 })

            try await locker.connection.script("ROLLBACK")
            for reader in readers + [late] { _ = try await reader.get() }
            locker.end()
            #expect(try await eventually { pool.statistics.counts.borrowed == 0 })
            try await pool.execute(Self.read)
            #expect(Self.shared(pool) == 5)
        }
    }

    @Test(arguments: [
        "UPDATE t SET n = 1" as SQL, "SELECT n FROM t FOR UPDATE",
        "WITH d AS (DELETE FROM t RETURNING n) SELECT n FROM d",
    ])
    func whatWritesOrLocksWaitsForAConnectionOfItsOwn(_ statement: SQL) async throws {
        try await Database().withPool(Self.options(1)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            try await Self.learn(pool)
            for _ in 0..<3 { try await pool.execute(statement) }
            let lease = try await pool.lease()
            let greenlet = Greenlet.spawn { try await pool.execute(statement) }
            #expect(try await eventually { pool.statistics.counts.waiting == 1 })
            #expect(Self.shared(pool) == 0)
            lease.end()
            _ = try await greenlet.get()
        }
    }

    @Test func aReadThatWasSlowOfLateWaitsForAConnectionOfItsOwn() async throws {
        try await Database().withPool(Self.options(1)) { (pool, _) async throws in
            try await Self.learn(pool)
            pool.multiplexer?.machine = .init(
                limits: Multiplexer.reliefLimits(1, slowAfter: .milliseconds(20)))
            for _ in 0..<2 { try await pool.execute("SELECT pg_sleep(0.03)") }
            let lease = try await pool.lease()
            let greenlet = Greenlet.spawn { try await pool.execute("SELECT pg_sleep(0.03)") }
            #expect(try await eventually { pool.statistics.counts.waiting == 1 })
            #expect(Self.shared(pool) == 0)
            lease.end()
            _ = try await greenlet.get()
        }
    }

    // MARK: Those who need a connection

    @Test func transactionsAreServedWhileReadsFlood() async throws {
        try await Database().withPool(Self.options(2)) { (pool, watcher) async throws in
            try await Self.learn(pool)
            var isOver = false
            let readers = (0..<40).map { _ in
                Greenlet.spawn { () async throws -> Int in
                    var count = 0
                    while !isOver {
                        try await pool.execute(Self.read)
                        count += 1
                    }
                    return count
                }
            }
            let writers = (0..<5).map { _ in
                Greenlet.spawn { () async throws in
                    for _ in 0..<5 {
                        try await pool.transaction { tx in _ = try await tx.execute("SELECT 1") }
                    }
                }
            }
            for writer in writers { try await writer.get() }
            #expect(try await watcher.sessions() <= 2)
            isOver = true
            for reader in readers { #expect(try await reader.get() > 0) }
            #expect(pool.statistics.acquireTimeouts == 0 && Self.shared(pool) > 0)
        }
    }

    @Test func readsAreServedWhileTransactionsFlood() async throws {
        try await Database().withPool(Self.options(1)) { (pool, _) async throws in
            try await Self.learn(pool)
            var isOver = false
            let writers = (0..<10).map { _ in
                Greenlet.spawn { () async throws in
                    while !isOver {
                        try await pool.transaction { tx in _ = try await tx.execute("SELECT 1") }
                    }
                }
            }
            let readers = (0..<20).map { _ in
                Greenlet.spawn { for _ in 0..<5 { try await pool.execute(Self.read) } }
            }
            for reader in readers { try await reader.get() }
            isOver = true
            for writer in writers { try await writer.get() }
        }
    }

    @Test func aSharedConnectionIsGivenUpAtOnceForOneWhoNeedsIt() async throws {
        try await Database().withPool(Self.options(1)) { (pool, _) async throws in
            try await Self.learn(pool)
            // Idle, it would be kept for long; and no tick shall come.
            pool.multiplexer?.machine = .init(
                limits: .init(lines: 1, depth: 8, slowAfter: .seconds(1000), idleAfter: .seconds(1000)))
            let lease = try await pool.lease()
            let reader = Greenlet.spawn { try await pool.execute(Self.read) }
            #expect(try await eventually { pool.multiplexer?.machine.waiting == 1 })
            lease.end()
            _ = try await reader.get()
            #expect(Self.shared(pool) == 1 && pool.statistics.counts.borrowed == 1)
            try await pool.transaction { tx in _ = try await tx.execute("SELECT 1") }
            #expect(pool.multiplexer?.machine.open == 0)
            #expect(pool.statistics.sharing.givenWay == 1 && pool.statistics.sharing.statements == 1)
        }
    }

    @Test func aGreenletThatHoldsTheOnlyConnectionIsToldOfTheDeadlock() async throws {
        try await Database().withPool(Self.options(1)) { (pool, _) async throws in
            try await Self.learn(pool)
            let greenlet = Greenlet.spawn { () async throws in
                try await pool.transaction { _ in
                    _ = try await pool.outsideTransaction { try await pool.execute(Self.read) }
                }
            }
            #expect(try await failure { try await greenlet.get() }.code == .poolDeadlock)
        }
    }

    // MARK: Time, pause, close

    @Test func aReadThatWaitsInVainIsToldWhoHoldsWhat() async throws {
        try await Database().withPool(Self.options(1, acquireTimeout: .seconds(2))) {
            (pool, _) async throws in
            try await Self.learn(pool)
            let lease = try await pool.lease(label: "report")
            let reader = Greenlet.spawn { try await pool.execute(Self.read) }
            let error = try await failure { _ = try await reader.get() }
            #expect(error.code == .acquireTimedOut && error.message.contains("\"report\""), "\(error)")
            #expect(pool.statistics.acquireTimeouts >= 1)
            lease.end()
            try await pool.execute(Self.read)
        }
    }

    @Test func noMoreReadsWaitThanMay() async throws {
        var options = Self.options(1)
        options.maximumWaiting = 2
        try await Database().withPool(options) { (pool, _) async throws in
            try await Self.learn(pool)
            let lease = try await pool.lease()
            let readers = (0..<2).map { _ in Greenlet.spawn { try await pool.execute(Self.read) } }
            #expect(try await eventually { pool.multiplexer?.machine.waiting == 2 })
            let late = Greenlet.spawn { try await pool.execute(Self.read) }
            #expect(try await failure { _ = try await late.get() }.code == .tooManyWaiting)
            lease.end()
            for reader in readers { _ = try await reader.get() }
        }
    }

    @Test func aPausedPoolSharesNothing() async throws {
        try await Database().withPool(Self.options(1)) { (pool, _) async throws in
            try await Self.learn(pool)
            let lease = try await pool.lease()
            let shared = Greenlet.spawn { try await pool.execute(Self.read) }
            #expect(try await eventually { pool.multiplexer?.machine.waiting == 1 })
            pool.pause()
            lease.end()
            let own = Greenlet.spawn { try await pool.execute(Self.read) }
            try await Greenlet.sleep(for: .milliseconds(50))
            #expect(shared.result == nil && own.result == nil && pool.statistics.counts.borrowed == 0)
            pool.resume()
            _ = try await shared.get()
            _ = try await own.get()
        }
    }

    @Test func closeEndsAllWhoWait() async throws {
        try await Database().withPool(Self.options(2)) { (pool, watcher) async throws in
            try await Self.learn(pool)
            let readers = (0..<40).map { _ in
                Greenlet.spawn { () async throws -> Bool in
                    do { while true { try await pool.execute(Self.read) } } catch let error as PostgresError {
                        return error.code == .poolClosed
                    }
                }
            }
            #expect(try await eventually { Self.shared(pool) > 100 })
            await pool.close()
            for reader in readers { #expect(try await reader.get()) }
            #expect(try await eventually { try await watcher.sessions() == 0 })
        }
    }

    @Test func poolsThatLookAfterEachLoanShareNothing() async throws {
        var hooked = Self.options(1)
        hooked.hooks.onAcquire = { _, _ in true }
        var checked = Self.options(1)
        checked.check = .always
        var reset = Self.options(1)
        reset.reset = .always
        for options in [hooked, checked, reset] {
            try await Database().withPool(options) { (pool, _) async throws in
                #expect(pool.multiplexer == nil)
                let readers = (0..<10).map { _ in Greenlet.spawn { try await pool.execute(Self.read) } }
                for reader in readers { _ = try await reader.get() }
            }
        }
    }
}
