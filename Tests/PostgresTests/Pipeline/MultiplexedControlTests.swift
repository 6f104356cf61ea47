import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// What is said to a pool holds for connections that statements share, however busy they are.
@Suite struct MultiplexedControlTests {
    static let process: SQL = "SELECT pg_backend_pid()"

    /// Readers keep the lines from ever being idle while `body` runs.
    @ReactorActor
    func withReaders(_ pool: PostgresPool, _ body: @ReactorActor () async throws -> Void) async throws {
        var isOver = false
        let readers = (0..<8).map { _ in
            Greenlet.spawn { () async throws in while !isOver { try await pool.execute(Self.process) } }
        }
        #expect(try await eventually { pool.statistics.sharing.statements > 100 })
        try await body()
        isOver = true
        for reader in readers { try await reader.get() }
    }

    @Test(arguments: [PostgresPoolMode.multiplexed(connections: 1), .automatic])
    func recyclingReplacesLinesThatAreNeverIdle(_ mode: PostgresPoolMode) async throws {
        try await Database().withPool(.init(maximum: 1, mode: mode)) { (pool, _) async throws in
            for _ in 0..<3 { try await pool.execute(Self.process) }
            try await withReaders(pool) {
                for _ in 0..<3 {
                    let old = try await pool.one(Int.self, Self.process)
                    pool.recycle()
                    #expect(try await pool.one(Int.self, Self.process) != old)
                }
            }
            #expect(pool.statistics.evictions == [.recycled: 3])
        }
    }

    @Test func aPausedPoolSendsNothingMoreDownItsLines() async throws {
        var options = MultiplexedPoolTests.options(1)
        options.acquireTimeout = .seconds(2)
        try await Database().withPool(options) { (pool, _) async throws in
            for _ in 0..<3 { try await pool.execute(Self.process) }
            let process = try await pool.one(Int.self, Self.process)
            #expect(pool.multiplexer?.machine.open == 1)
            pool.pause()
            let error = try await failure { try await pool.execute(Self.process) }
            #expect(error.code == .acquireTimedOut && error.message.contains("it is paused"))
            #expect(pool.statistics.counts.borrowed == 0)
            let late = Greenlet.spawn { () async throws in try await pool.one(Int.self, Self.process) }
            #expect(try await eventually { pool.multiplexer?.machine.waiting == 1 })
            pool.resume()
            #expect(try await late.get() == process)
        }
    }
}
