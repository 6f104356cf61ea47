import ConnectionPools
import Glibc
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct PoolHealthTests {
    @Test func aLongIdleConnectionIsAskedOnce() async throws {
        var options = PostgresPoolOptions(maximum: 1)
        options.checkAfterIdle = .milliseconds(20)
        try await Database().withPool(options) { (pool, _) async throws in
            _ = try await pool.execute("SELECT 1")
            let before = pool.statistics.statements
            _ = try await pool.execute("SELECT 2")
            let quick = pool.statistics.statements - before
            try await reactor.sleep(for: .milliseconds(30))
            _ = try await pool.execute("SELECT 3")
            #expect(pool.statistics.statements - before == quick + 2, "the check and the statement")
        }
    }

    @Test(arguments: [(PostgresHealthCheck.always, 2), (.never, 1)])
    func theOtherModesAskAlwaysAndNever(mode: PostgresHealthCheck, statements: Int) async throws {
        var options = PostgresPoolOptions(maximum: 1)
        options.check = mode
        options.checkAfterIdle = .zero
        try await Database().withPool(options) { (pool, _) async throws in
            for _ in 0..<5 { _ = try await pool.execute("SELECT 1") }
            #expect(pool.statistics.statements == 5 * statements)
        }
    }

    /// Servers that have stopped answering cost one time-out for all connections together.
    @Test func connectionsThatDoNotAnswerAreSweptByTheFirstCheck() async throws {
        var options = PostgresPoolOptions(maximum: 8)
        options.checkAfterIdle = .zero
        options.checkTimeout = .milliseconds(200)
        var database = try Database()
        database.configuration.cancelGrace = .milliseconds(500)
        try await database.withPool(options) { (pool, _) async throws in
            pool.resize(maximum: 4)
            try await fill(pool)
            pool.resize(maximum: 8)
            let stopped = pool.machine.connections.map(\.processID)
            for process in stopped { kill(process, SIGSTOP) }
            defer { for process in stopped { kill(process, SIGCONT) } }
            let start = reactor.now
            let process = try await pool.one(Int32.self, "SELECT pg_backend_pid()")
            #expect(!stopped.contains(process) && start.duration(to: reactor.now) < .seconds(10))
            #expect(pool.statistics.evictions == [.checkFailed: 1, .swept: 3])
        }
    }

    @Test func roundRobinGoesThroughAllConnections() async throws {
        var options = PostgresPoolOptions(maximum: 3)
        options.reuse = .roundRobin
        try await Database().withPool(options) { (pool, _) async throws in
            try await fill(pool)
            var seen: Set<Int32> = []
            for _ in 0..<3 { seen.insert(try await pool.one(Int32.self, "SELECT pg_backend_pid()")) }
            #expect(seen.count == 3)
        }
    }
}
