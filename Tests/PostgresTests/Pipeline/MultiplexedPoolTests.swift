import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct MultiplexedPoolTests {
    static func options(_ connections: Int = 2, maximum: Int = 10) -> PostgresPoolOptions {
        PostgresPoolOptions(maximum: maximum, mode: .multiplexed(connections: connections))
    }

    @Test func manyGreenletsShareFewConnections() async throws {
        try await Database().withPool(Self.options(2)) { (pool, watcher) async throws in
            let greenlets = (0..<100).map { number in
                Greenlet.spawn { () async throws in
                    for round in 0..<20 {
                        let value: Int = try await pool.one("SELECT \(Int32(number)) * 100 + \(Int32(round))")
                        #expect(value == number * 100 + round)
                    }
                }
            }
            for greenlet in greenlets { try await greenlet.get() }
            #expect(pool.statistics.connectsSucceeded <= 2)
            #expect(try await watcher.sessions() <= 2)
        }
    }

    @Test func greenletsWithSynchronousBodiesShareThemToo() async throws {
        try await Database().withPool(Self.options()) { (pool, _) async throws in
            let greenlets = (0..<20).map { number in
                Greenlet.spawn { () throws -> Int in try pool.one("SELECT \(Int32(number)) + 1") }
            }
            for (number, greenlet) in greenlets.enumerated() {
                #expect(try await greenlet.get() == number + 1)
            }
        }
    }

    @Test func anErrorConcernsItsCallerOnly() async throws {
        try await Database().withPool(Self.options(1)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            let greenlets = (0..<60).map { number in
                Greenlet.spawn { () async throws -> Bool in
                    for _ in 0..<5 {
                        if number % 3 == 0 {
                            let error = try await failure { try await pool.execute("SELECT 1 / \(Int32(0))") }
                            guard error.sqlState?.rawValue == "22012" else { return false }
                        } else {
                            try await pool.execute("INSERT INTO t VALUES (\(Int32(number)))")
                        }
                    }
                    return true
                }
            }
            for greenlet in greenlets { #expect(try await greenlet.get()) }
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 200)
        }
    }

    @Test func aDeferredConstraintConcernsItsCallerOnly() async throws {
        try await Database().withPool(Self.options(1)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            try await pool.execute("INSERT INTO t VALUES (\(Int32(-1)))")
            let greenlets = (0..<20).map { number in
                Greenlet.spawn {
                    await outcome { try await pool.execute("INSERT INTO t VALUES (\(Int32(number / 2)))") }
                }
            }
            var failures = 0
            for greenlet in greenlets {
                guard case .failure(let error) = try await greenlet.get() else { continue }
                #expect((error as? PostgresError)?.sqlState == .uniqueViolation)
                failures += 1
            }
            #expect(failures == 10)
        }
    }

    @Test func statementsOfATurnTravelTogether() async throws {
        let database = try Database()
        try await database.withPool(Self.options(1)) { (pool, _) async throws in
            // On a busy machine everything may be slow, and slow ones go alone.
            pool.multiplexer?.machine = .init(limits: .init(lines: 1, slowAfter: .seconds(60)))
            let holder = try await PostgresConnection.connect(database.configuration)
            try await holder.execute("CREATE TABLE gate ()")
            let statement: SQL = "SELECT count(*) FROM gate"
            for _ in 0..<3 { _ = try await pool.query(statement) }
            // None is answered before the table is free again.
            try await holder.execute("BEGIN")
            try await holder.execute("LOCK TABLE gate")
            let greenlets = (0..<16).map { _ in Greenlet.spawn { try await pool.query(statement).count } }
            #expect(try await eventually { pool.multiplexer?.machine.outstanding == 16 })
            try await holder.execute("COMMIT")
            for greenlet in greenlets { #expect(try await greenlet.get() == 1) }
            await holder.close()
            let sharing = pool.statistics.sharing
            #expect(sharing.statements == 19 && sharing.longestPipeline == 16, "\(sharing)")
            #expect((4..<19).contains(sharing.batches) && sharing.reruns == 0, "\(sharing)")
        }
    }

    // MARK: What cannot share

    @Test func transactionsAndSessionStateHaveConnectionsOfTheirOwn() async throws {
        try await Database().withPool(Self.options(1, maximum: 2)) { (pool, watcher) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            let transaction = Greenlet.spawn {
                try await pool.transaction { tx in
                    try await tx.execute("INSERT INTO t VALUES (1)")
                    // A shared statement is none of the transaction.
                    let seen = try await pool.outsideTransaction {
                        try await pool.one(Int.self, "SELECT count(*) FROM t")
                    }
                    #expect(seen == 0)
                    try await tx.execute("INSERT INTO t VALUES (2)")
                }
            }
            try await transaction.get()
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 2)
            let locked: Bool = try await pool.one("SELECT pg_try_advisory_xact_lock(1)")
            #expect(locked)
            #expect(try await watcher.sessions() <= 2)
        }
    }

    /// The maximum holds for both, and neither starves.
    @Test func aTransactionGetsAConnectionAlthoughTheLinesAreAlwaysBusy() async throws {
        try await Database().withPool(Self.options(2, maximum: 2)) { (pool, watcher) async throws in
            var isOver = false
            let readers = (0..<30).map { _ in
                Greenlet.spawn { () async throws -> Int in
                    var count = 0
                    while !isOver {
                        try await pool.execute("SELECT \(Int32(1))")
                        count += 1
                    }
                    return count
                }
            }
            for _ in 0..<5 {
                _ = try await pool.transaction { tx in try await tx.execute("SELECT 1") }
                #expect(try await watcher.sessions() <= 2)
            }
            isOver = true
            for reader in readers { #expect(try await reader.get() > 0) }
        }
    }

    @Test func onePoolOfOneConnectionServesBoth() async throws {
        try await Database().withPool(Self.options(1, maximum: 1)) { (pool, _) async throws in
            for _ in 0..<5 {
                #expect(try await pool.one(Int.self, "SELECT 1") == 1)
                #expect(try await pool.transaction { tx in try await tx.one(Int.self, "SELECT 2") } == 2)
            }
        }
    }

    @Test func idleLinesGiveTheirConnectionsBack() async throws {
        try await Database().withPool(Self.options()) { (pool, _) async throws in
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            #expect(pool.statistics.counts.borrowed >= 1)
            #expect(try await eventually { pool.statistics.counts.borrowed == 0 })
            #expect(pool.multiplexer?.machine.open == 0)
            #expect(try await pool.one(Int.self, "SELECT 2") == 2)
            #expect(pool.statistics.connectsSucceeded == 1)
        }
    }

    // MARK: Slow ones

    @Test func aSlowStatementHoldsNobodyUp() async throws {
        try await Database().withPool(Self.options(2)) { (pool, _) async throws in
            for _ in 0..<3 { try await pool.execute("SELECT \(Int32(1))") }
            let sleeper = Greenlet.spawn { try await pool.execute("SELECT pg_sleep(30)") }
            await Greenlet.yield()
            let readers = (0..<40).map { _ in
                Greenlet.spawn { for _ in 0..<10 { try await pool.execute("SELECT \(Int32(1))") } }
            }
            for reader in readers { try await reader.get() }
            #expect(sleeper.result == nil, "readers waited for a statement that was not theirs")
            try await sleeper.kill()
        }
    }

    @Test func aQuickStatementThatIsLockedHoldsUpNoMoreThanWasSent() async throws {
        try await Database().withPool(Self.options(2)) { (pool, watcher) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            for _ in 0..<3 { try await pool.execute("UPDATE t SET n = \(Int32(1))") }
            for _ in 0..<3 { try await pool.execute("SELECT \(Int32(1))") }
            // A connection's transaction: what is done on the pool in there is none of it.
            try await pool.withConnection { connection in
                try await connection.transaction { tx in
                    try await tx.execute("LOCK TABLE t")
                    let locked = Greenlet.spawn { try await pool.execute("UPDATE t SET n = \(Int32(1))") }
                    #expect(try await eventually { try await watcher.active() == 1 })
                    try await Greenlet.sleep(for: .milliseconds(50))
                    let readers = (0..<40).map { _ in
                        Greenlet.spawn { for _ in 0..<10 { try await pool.execute("SELECT \(Int32(1))") } }
                    }
                    for reader in readers { try await reader.get() }
                    #expect(locked.result == nil)
                }
            }
        }
    }

    // MARK: Stale plans

    @Test func stalePlansAreRenewedForEverybody() async throws {
        try await Database().withPool(Self.options(1)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t (a int)")
            for _ in 0..<3 {
                #expect(try await pool.query("SELECT * FROM t WHERE a = \(Int32(1))").columns.count == 1)
            }
            try await pool.execute("ALTER TABLE t ADD COLUMN b int")
            let greenlets = (0..<20).map { _ in
                Greenlet.spawn { try await pool.query("SELECT * FROM t WHERE a = \(Int32(1))").columns.count }
            }
            for greenlet in greenlets { #expect(try await greenlet.get() == 2) }
        }
    }

    // MARK: Size

    @Test func largeValuesAndResultsOfManyDoNotBlockEachOther() async throws {
        try await Database().withPool(Self.options(1)) { (pool, _) async throws in
            let large = String(repeating: "y", count: 300_000)
            for _ in 0..<3 { try await pool.execute("SELECT \("") || 'x'") }
            let greenlets = (0..<12).map { _ in
                Greenlet.spawn { try await pool.one(String.self, "SELECT \(large) || 'x'").utf8.count }
            }
            for greenlet in greenlets { #expect(try await greenlet.get() == 300_001) }
        }
    }

    // MARK: Ends

    @Test func closingFinishesWhatWasSentAndRefusesTheRest() async throws {
        let database = try Database()
        try await withReactor { (_) async throws in
            let pool = PostgresPool(database.configuration, Self.options(1))
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            let running = Greenlet.spawn { try await pool.one(Int.self, "SELECT 5 FROM pg_sleep(2)") }
            #expect(try await eventually { pool.multiplexer?.machine.outstanding == 1 })
            let waiting = Greenlet.spawn { await outcome { try await pool.one(Int.self, "SELECT 6") } }
            await Greenlet.yield()
            await pool.close()
            #expect(try await running.get() == 5)
            #expect(try await failure { _ = try await waiting.get().get() }.code == .poolClosed)
            #expect(try await failure { _ = try await pool.query("SELECT 1") }.code == .poolClosed)
            #expect(pool.statistics.counts.total == 0)
        }
    }

    @Test func closingWithoutGraceCancels() async throws {
        let database = try Database()
        try await withReactor { (_) async throws in
            let pool = PostgresPool(database.configuration, Self.options(2))
            let sleepers = (0..<2).map { number in
                Greenlet.spawn {
                    await outcome { try await pool.execute("SELECT pg_sleep(60), \(Int32(number))") }
                }
            }
            #expect(try await eventually { (pool.multiplexer?.machine.outstanding ?? 0) >= 1 })
            await pool.close(grace: .zero)
            for sleeper in sleepers {
                #expect(try await failure { _ = try await sleeper.get().get() }.code == .poolClosed)
            }
            #expect(pool.statistics.counts.total == 0)
        }
    }

    @Test func aPoolThatIsMadeSmallerGivesLinesUp() async throws {
        try await Database().withPool(Self.options(3)) { (pool, _) async throws in
            var isOver = false
            let readers = (0..<60).map { _ in
                Greenlet.spawn { () async throws in
                    while !isOver { try await pool.execute("SELECT \(Int32(1))") }
                }
            }
            #expect(try await eventually { pool.statistics.counts.borrowed == 3 })
            pool.apply(pool.machine.resize(to: 1, at: pool.now))
            #expect(try await eventually { pool.statistics.counts.total == 1 })
            isOver = true
            for reader in readers { try await reader.get() }
        }
    }
}

/// What `body` comes to, for greenlets that may have failed before anybody looks.
@ReactorActor
func outcome<Value: Sendable>(_ body: @ReactorActor () async throws -> Value) async -> Result<
    Value, any Error
> {
    do { return .success(try await body()) } catch { return .failure(error) }
}
