import Glibc
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Callers that leave, servers that die: nobody else notices.
@Suite struct MultiplexedFailureTests {
    @Test func aKilledCallersStatementIsCancelledOnTheServer() async throws {
        try await Database().withPool(MultiplexedPoolTests.options(1)) { (pool, watcher) async throws in
            let sleeper = Greenlet.spawn { try await pool.execute("SELECT pg_sleep(60)") }
            #expect(try await eventually { try await watcher.active() == 1 })
            try await sleeper.kill()
            #expect(try await watcher.seesIdleSessions())
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            #expect(pool.statistics.connectsSucceeded == 1 && pool.statistics.connectionsLost == 0)
        }
    }

    @Test func aTimeoutIsItsCallersOnly() async throws {
        try await Database().withPool(MultiplexedPoolTests.options(1)) { (pool, _) async throws in
            for _ in 0..<3 { try await pool.execute("SELECT pg_sleep(\(0.0))") }
            let others = (0..<5).map { _ in
                Greenlet.spawn { try await pool.query("SELECT pg_sleep(\(0.05))").count }
            }
            let error = try await failure {
                _ = try await pool.query("SELECT pg_sleep(\(60.0))", timeout: .milliseconds(20))
            }
            #expect(error.code == .timedOut)
            for other in others { #expect(try await other.get() == 1) }
            #expect(pool.statistics.connectionsLost == 0)
        }
    }

    @Test func aStatementThatIsNotSentIsJustTakenOut() async throws {
        try await Database().withPool(MultiplexedPoolTests.options(1)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            try await pool.execute("CREATE TABLE gate AS SELECT 1")
            let sleeper = try await pool.withConnection { connection in
                try await connection.transaction { tx in
                    try await tx.execute("LOCK TABLE gate")
                    let sleeper = Greenlet.spawn { try await pool.execute("SELECT * FROM gate") }
                    #expect(try await eventually { pool.multiplexer?.machine.outstanding == 1 })
                    let writer = Greenlet.spawn { try await pool.execute("INSERT INTO t VALUES (1)") }
                    await Greenlet.yield()
                    try await writer.kill()
                    #expect(sleeper.result == nil)
                    return sleeper
                }
            }
            #expect(try await sleeper.get() == 1)
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 0)
        }
    }

    @Test func aServersOwnTimeLimitIsReported() async throws {
        try await Database().withPool(MultiplexedPoolTests.options(1)) { (pool, watcher) async throws in
            try await watcher.connection.script("ALTER DATABASE \(watcher.name) SET statement_timeout = 50")
            let error = try await failure { try await pool.execute("SELECT pg_sleep(60)") }
            #expect(error.sqlState == .queryCanceled)
        }
    }

    @Test func aServerThatEndsTheConnectionFailsWhatWasSentOnly() async throws {
        try await Database().withPool(MultiplexedPoolTests.options(1)) { (pool, watcher) async throws in
            // On a busy machine everything may be slow, and slow ones go alone.
            pool.multiplexer?.machine = .init(limits: .init(lines: 1, slowAfter: .seconds(2)))
            for _ in 0..<3 { try await pool.execute("SELECT pg_sleep(\(0.0))") }
            // More than a line's depth: the last ones are not sent.
            // None is answered before the end: the first takes too long.
            let callers = (0..<40).map { number in
                Greenlet.spawn { () async -> PostgresError? in
                    do { try await pool.execute("SELECT pg_sleep(\(number == 0 ? 60.0 : 0.0))") } catch {
                        return error as? PostgresError
                    }
                    return nil
                }
            }
            #expect(try await eventually { pool.multiplexer?.machine.outstanding == 32 })
            try await watcher.terminateAll()
            var lost = 0
            for caller in callers {
                if let error = try await caller.get() {
                    #expect(error.code == .connectionLost)
                    lost += 1
                }
            }
            #expect(lost > 0 && lost <= 32)
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            #expect(pool.statistics.counts.waiting == 0 && pool.multiplexer?.machine.waiting == 0)
        }
    }

    @Test func aLineThatDiesIdleIsReplaced() async throws {
        try await Database().withPool(MultiplexedPoolTests.options(1)) { (pool, watcher) async throws in
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            try await watcher.terminateAll()
            #expect(try await eventually { pool.statistics.counts.total == 0 })
            #expect(try await pool.one(Int.self, "SELECT 2") == 2)
        }
    }

    @Test func aServerThatDoesNotObeyLosesTheLineOnly() async throws {
        var configuration = try Database().configuration
        configuration.cancelGrace = .milliseconds(100)
        try await withReactor { [configuration] (_) async throws in
            let pool = PostgresPool(configuration, MultiplexedPoolTests.options(1))
            let process: Int32 = try await pool.one("SELECT pg_backend_pid()")
            // A stopped backend handles no signal.
            #expect(kill(process, SIGSTOP) == 0)
            let error = try await failure { _ = try await pool.query("SELECT 1", timeout: .milliseconds(20)) }
            #expect(error.code == .connectionLost && error.isTimeout)
            kill(process, SIGCONT)
            #expect(try await pool.one(Int.self, "SELECT 2") == 2)
            await pool.close()
        }
    }

    @Test func withoutAServerCallersLearnWhy() async throws {
        let configuration = try Database().configuration.withDatabase("absent")
        try await withReactor { [configuration] (_) async throws in
            let pool = PostgresPool(configuration, MultiplexedPoolTests.options(1))
            let error = try await failure { try await pool.execute("SELECT 1") }
            #expect(error.code == .connectFailed)
            await pool.close()
        }
    }

    @Test func whoFindsNoRoomInTimeLearnsHowThingsStand() async throws {
        var options = MultiplexedPoolTests.options(1)
        options.acquireTimeout = .seconds(2)
        try await Database().withPool(options) { (pool, _) async throws in
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            let sleeper = Greenlet.spawn { try await pool.execute("SELECT pg_sleep(60)") }
            #expect(try await eventually { pool.multiplexer?.machine.outstanding == 1 })
            let error = try await failure { try await pool.execute("SELECT 2") }
            #expect(error.code == .acquireTimedOut && error.message.contains("1 statements run"))
            try await sleeper.kill()
        }
    }

    @Test func noMoreThanTheMaximumWait() async throws {
        var options = MultiplexedPoolTests.options(1)
        options.maximumWaiting = 2
        try await Database().withPool(options) { (pool, _) async throws in
            let callers = (0..<50).map { number in
                Greenlet.spawn { await outcome { try await pool.one(Int.self, "SELECT \(Int32(number))") } }
            }
            var refused = 0
            for (number, caller) in callers.enumerated() {
                switch try await caller.get() {
                case .success(let value): #expect(value == number)
                case .failure(let error):
                    #expect((error as? PostgresError)?.code == .tooManyWaiting)
                    refused += 1
                }
            }
            #expect(refused == 50 - 32 - 2)
        }
    }
}
