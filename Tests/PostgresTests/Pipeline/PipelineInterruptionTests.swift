import Glibc
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Whatever ends a pipeline early, its connection is usable afterwards, and the statements know what became of them.
@Suite struct PipelineInterruptionTests {
    /// S70
    @Test(arguments: [true, false])
    func aKilledGreenletCancelsWhatRunsAndSendsNothingMore(_ hasSegments: Bool) async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            let greenlet = Greenlet.spawn { () async throws in
                try await pool.withPipeline { pipeline in
                    pipeline.execute("INSERT INTO t VALUES (1)")
                    for _ in 0..<5 {
                        if hasSegments { pipeline.sync() }
                        pipeline.execute("SELECT pg_sleep(60)")
                    }
                    pipeline.execute("INSERT INTO t VALUES (2)")
                }
            }
            #expect(try await eventually { try await watcher.sleeping() == 1 })
            try await greenlet.kill()
            #expect(try await watcher.seesAtRest(pool))
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == (hasSegments ? 1 : 0))
            #expect(pool.statistics.connectsSucceeded == 1 && pool.statistics.connectionsLost == 0)
        }
    }

    @Test func aTimeoutTellsEveryStatement() async throws {
        try await Database().withConnection { (connection) async throws in
            let process = connection.processID
            try await connection.withPipeline { pipeline in
                let first = pipeline.one(Int.self, "SELECT 1")
                pipeline.sync()
                let second = pipeline.execute("SELECT pg_sleep(60)")
                let third = pipeline.one(Int.self, "SELECT 3")
                let error = try await failure { try await pipeline.flush(timeout: .milliseconds(100)) }
                #expect(error.code == .timedOut)
                #expect(try first.value == 1)
                for error in [
                    try await failure { _ = try second.value }, try await failure { _ = try third.value },
                ] { #expect(error.code == .timedOut) }
            }
            #expect(try await connection.one(Int32.self, "SELECT pg_backend_pid()") == process)
        }
    }

    @Test func aTimeoutWhileTheServerTakesNothingInKeepsTheConnection() async throws {
        try await Database().withConnection { (connection) async throws in
            let large = String(repeating: "x", count: 300_000)
            let error = try await failure {
                try await connection.withPipeline { pipeline in
                    pipeline.execute("SELECT pg_sleep(60)")
                    for _ in 0..<10 { pipeline.query("SELECT \(large)") }
                    try await pipeline.flush(timeout: .milliseconds(100))
                }
            }
            #expect(error.code == .timedOut && connection.isUsable)
            #expect(try await connection.one(Int.self, "SELECT 1") == 1)
        }
    }

    @Test func aServerThatEndsTheConnectionFailsWhatIsNotAnswered() async throws {
        try await Database().withPool { (pool, watcher) async throws in
            try await pool.withConnection { connection in
                try await connection.withPipeline { pipeline in
                    let first = pipeline.one(Int.self, "SELECT 1")
                    pipeline.sync()
                    let second = pipeline.execute("SELECT pg_terminate_backend(pg_backend_pid())")
                    let third = pipeline.execute("SELECT 3")
                    let error = try await failure { try await pipeline.flush() }
                    #expect(error.code == .connectionLost)
                    #expect(try first.value == 1)
                    for error in [
                        try await failure { _ = try second.value }, try await failure { _ = try third.value },
                    ] { #expect(error.code == .connectionLost) }
                }
                #expect(!connection.isUsable)
            }
            #expect(try await pool.one(Int.self, "SELECT 4") == 4)
        }
    }

    @Test func cancelsAtRandomMomentsLeaveTheConnectionUsable() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("PipelineInterruptionTests seed \(seed)")
        try await Database().withPool(.init(maximum: 2)) { (pool, watcher) async throws in
            var random = SeededGenerator(seed: seed)
            for _ in 0..<150 {
                let segments = Bool.random(using: &random)
                let victim = Greenlet.spawn { () async throws in
                    try await pool.withPipeline { pipeline in
                        for number in 0..<6 {
                            pipeline.execute("SELECT \(Int32(number)) FROM pg_sleep(0.001)")
                            if segments { pipeline.sync() }
                        }
                    }
                }
                let bystander = Greenlet.spawn {
                    try await pool.pipeline {
                        ($0.one(Int.self, "SELECT 7 FROM pg_sleep(0.001)"), $0.one(Int.self, "SELECT 8"))
                    }
                }
                try await Greenlet.sleep(for: .microseconds(Int.random(in: 0..<9000, using: &random)))
                victim.cancel()
                #expect(try await bystander.get() == (7, 8))
                #expect(try await victim.join())
            }
            #expect(pool.statistics.connectionsLost == 0)
            #expect(try await watcher.seesAtRest(pool))
        }
    }

    @Test func aSecondUserOfTheConnectionIsRefused() async throws {
        try await Database().withConnection { (connection) async throws in
            let sleeper = Greenlet.spawn {
                try await connection.pipeline { $0.execute("SELECT pg_sleep(0.2)") }
            }
            await Greenlet.yield()
            let error = try await failure { try await connection.pipeline { $0.execute("SELECT 1") } }
            #expect(error.code == .connectionBusy)
            #expect(try await sleeper.get() == 1)
        }
    }
}

extension Watcher {
    /// How many of the database's sessions are in pg_sleep.
    func sleeping() async throws -> Int {
        try await connection.one(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = \(name) AND wait_event = 'PgSleep'")
    }
}
