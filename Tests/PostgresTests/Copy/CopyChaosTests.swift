import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// COPY is cancelled at any moment, its server stands still or dies.
@Suite struct CopyChaosTests {
    @Test func aServerThatStandsStillStopsTheSource() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, watcher) async throws in
            try await pool.execute("CREATE TABLE t (line text)")
            let source = Source()
            let line = [UInt8](repeating: 0x61, count: 1023) + [0x0A]
            // The lock keeps the server from taking a single row.
            try await pool.withConnection { (locker) async throws in
                try await locker.script("BEGIN; LOCK TABLE t")
                let copy = Greenlet.spawn { () async throws in
                    try await pool.copyIn(into: "t") { rows in
                        while source.sent < 100_000 {
                            try await rows.write(bytes: line)
                            source.sent += 1
                        }
                    }
                }
                await reactor.yield()
                var last = -1
                #expect(
                    try await eventually {
                        defer { last = source.sent }
                        return last == source.sent
                    })
                // What the sockets of both sides hold, and libpq's bounded part: nothing like a hundred megabytes.
                #expect(source.sent < 8192)
                try await locker.script("ROLLBACK")
                #expect(try await copy.get() == 100_000)
            }
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 100_000)
        }
    }

    @Test func aCopyThatWaitsForALockCanBeCancelledAndTimesOut() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, watcher) async throws in
            try await pool.execute("CREATE TABLE t (line text)")
            let line = [UInt8](repeating: 0x61, count: 65_535) + [0x0A]
            try await pool.withConnection { (locker) async throws in
                try await locker.script("BEGIN; LOCK TABLE t")
                let copy = Greenlet.spawn { () async throws in
                    try await pool.copyIn(into: "t") { rows in
                        while true { try await rows.write(bytes: line) }
                    }
                }
                #expect(try await eventually { try await watcher.active() == 1 })
                copy.cancel()
                #expect(try await copy.join())
                let error = try await failure {
                    try await pool.copyIn(into: "t", timeout: .milliseconds(100)) { rows in
                        while true { try await rows.write(bytes: line) }
                    }
                }
                #expect(error.code == .timedOut)
                #expect(try await watcher.seesAtRest(pool, borrowed: 1))
                try await locker.script("ROLLBACK")
            }
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 0)
            #expect(pool.statistics.connectionsLost == 0)
        }
    }

    @Test func aServerThatDiesInTheMiddleIsNoticed() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            let error = try await failure {
                try await pool.copyIn(into: "t") { rows in
                    var sent = 0
                    while true {
                        try await rows.write(Int32(1))
                        sent += 1
                        if sent == 50_000 { _ = try await watcher.terminateAll() }
                    }
                }
            }
            #expect(error.code == .connectionLost)
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 0)
        }
    }

    @Test func aSlowSourceHearsOfTheServersEndAtItsNextWrite() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            let error = try await failure {
                try await pool.copyIn(into: "t") { rows in
                    try await rows.write(bytes: Array("1\n".utf8))
                    _ = try await watcher.terminateAll()
                    let source = Source()
                    _ = try await eventually {
                        source.sent += 1
                        do { try await rows.write(bytes: Array("1\n".utf8)) } catch { throw error }
                        return false
                    }
                }
            }
            #expect(error.code == .connectionLost)
        }
    }

    @Test func cancelsAtRandomMomentsLeaveNoRowAndKeepTheConnections() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("CopyChaosTests seed \(seed)")
        try await Database().withPool(.init(maximum: 3)) { (pool, watcher) async throws in
            try await pool.execute("CREATE TABLE t (n int, victim bool)")
            var random = SeededGenerator(seed: seed)
            var whole = 0
            for _ in 0..<50 {
                let format = Bool.random(using: &random) ? PostgresCopyFormat.text : .binary
                let victims = [
                    Greenlet.spawn { () async throws in
                        try await pool.copyIn(into: "t", format: format) { rows in
                            while true { try await rows.write(Int32(1), true) }
                        }
                    },
                    Greenlet.spawn { () throws in
                        try pool.copyIn(into: "t", format: format) { rows in
                            while true { try rows.write(Int32(1), true) }
                        }
                    },
                    Greenlet.spawn { () async throws in
                        for try await _ in pool.copyRows(query: "SELECT generate_series(1, 100000000)") {}
                        return 0
                    },
                ]
                try await Greenlet.sleep(for: .microseconds(Int.random(in: 0..<6000, using: &random)))
                for victim in victims { victim.cancel() }
                whole += try await pool.copyIn(into: "t", rows: [(Int32(1), false), (Int32(2), false)])
                for victim in victims { #expect(try await victim.join()) }
            }
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t WHERE victim") == 0)
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == whole && whole == 100)
            #expect(pool.statistics.connectionsLost == 0 && pool.statistics.connectsSucceeded <= 3)
            #expect(try await watcher.seesAtRest(pool))
        }
    }
}

@ReactorActor private final class Source {
    var sent = 0
}
