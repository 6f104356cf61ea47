import Glibc
import ConnectionPools
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct CancellationTests {
    @Test func aCancelledTaskCancelsTheStatementAndKeepsTheConnection() async throws {
        let database = try Database()
        try await withReactor { (reactor) async throws in
            let watcher = try await Watcher(database.configuration)
            let connection = try await PostgresConnection.connect(database.configuration)
            let process = connection.processID
            let greenlet = Greenlet.spawn { try await connection.execute("SELECT pg_sleep(60)") }
            #expect(try await eventually { try await watcher.active() == 1 })
            let start = reactor.now
            try await greenlet.kill()
            #expect(try await watcher.active() == 0)
            #expect(start.duration(to: reactor.now) < .seconds(30), "the statement would have run for 60 s")
            #expect(try await connection.one(Int32.self, "SELECT pg_backend_pid()") == process)
            await connection.close()
            await watcher.connection.close()
        }
    }

    @Test func aKilledGreenletWithASynchronousBodyDoesTheSame() async throws {
        try await Database().withPool(.init(maximum: 3)) { (pool, watcher) async throws in
            let greenlets = (0..<3).map { _ in
                Greenlet.spawn { () throws in _ = try pool.query("SELECT pg_sleep(60)") }
            }
            #expect(try await eventually { try await watcher.active() == 3 })
            for greenlet in greenlets { greenlet.cancel() }
            #expect(try await watcher.seesAtRest(pool))
            for greenlet in greenlets { #expect(try await greenlet.join()) }
            // The pool still serves its maximum, with the same three connections.
            let again = (0..<3).map { _ in
                Greenlet.spawn { try pool.one(Int.self, "SELECT 1 FROM pg_sleep(0.1)") }
            }
            for greenlet in again { #expect(try await greenlet.get() == 1) }
            #expect(pool.statistics.connectsSucceeded == 3 && pool.statistics.connectionsLost == 0)
        }
    }

    @Test func aTimeoutCancelsTheStatementAndKeepsTheConnection() async throws {
        try await Database().withConnection { (connection) async throws in
            let process = connection.processID
            let error = try await failure {
                _ = try await connection.query("SELECT pg_sleep(60)", timeout: .milliseconds(50))
            }
            #expect(error.code == .timedOut && error.isTimeout)
            #expect(try await connection.one(Int32.self, "SELECT pg_backend_pid()") == process)
        }
    }

    @Test func aCancelledTaskSendsNothing() async throws {
        try await Database().withConnection { (connection) async throws in
            let greenlet = Greenlet.spawn { () async throws in
                withUnsafeCurrentTask { $0?.cancel() }
                try await connection.execute("CREATE TABLE never (n int)")
            }
            _ = try? await greenlet.get()
            let count: Int = try await connection.one("SELECT count(*) FROM pg_class WHERE relname = 'never'")
            #expect(count == 0)
        }
    }

    /// The server drops a cancel request that overtakes its statement.
    @Test func aCancelInTheVeryTurnOfTheStatementStillEndsIt() async throws {
        try await Database().withPool(.init(maximum: 4)) { (pool, watcher) async throws in
            for _ in 0..<50 {
                let victims = (0..<4).map { _ in
                    Greenlet.spawn { try await pool.execute("SELECT pg_sleep(60)") }
                }
                while pool.statistics.counts.borrowed < 4 { await Greenlet.yield() }
                for victim in victims { victim.cancel() }
                for victim in victims { #expect(try await victim.join()) }
            }
            #expect(pool.statistics.connectionsLost == 0)
            #expect(try await watcher.seesAtRest(pool))
        }
    }

    @Test func aCancelRequestThatTheServerDropsIsSentAgain() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            let process = try await pool.withConnection { connection in connection.processID }
            // Wakes up to a cancel request first and to the statement then.
            #expect(kill(process, SIGSTOP) == 0)
            let victim = Greenlet.spawn { try await pool.execute("SELECT pg_sleep(60)") }
            while pool.statistics.counts.borrowed < 1 { await Greenlet.yield() }
            victim.cancel()
            try await Greenlet.sleep(for: .milliseconds(30))
            #expect(kill(process, SIGCONT) == 0)
            #expect(try await victim.join())
            #expect(pool.statistics.connectionsLost == 0)
            #expect(try await watcher.seesAtRest(pool))
        }
    }

    @Test func aServerThatDoesNotObeyLosesTheConnection() async throws {
        var configuration = try Database().configuration
        configuration.cancelGrace = .milliseconds(100)
        try await withReactor { [configuration] (_) async throws in
            let connection = try await PostgresConnection.connect(configuration)
            // A stopped backend handles no signal.
            #expect(kill(connection.processID, SIGSTOP) == 0)
            let error = try await failure {
                _ = try await connection.query("SELECT 1", timeout: .milliseconds(20))
            }
            #expect(error.code == .connectionLost && !connection.isUsable)
            #expect(error.isOutcomeUnknown && error.isTimeout && !error.isRetrySafe)
            #expect((error.underlying as? PostgresError)?.code == .timedOut)
            kill(connection.processID, SIGCONT)
            await connection.close()
        }
    }
}
