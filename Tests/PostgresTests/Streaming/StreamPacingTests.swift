import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// A slow consumer slows the server down; nothing piles up on this side.
@Suite struct StreamPacingTests {
    // Not FROM generate_series, which makes all rows before it sends the first.
    private static let endless: SQL = "SELECT generate_series(1, 100000000) AS n, repeat('x', 1000)"

    @Test func aConsumerThatPausesStopsTheServerAndTheReading() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            var rows = pool.stream(Self.endless).makeAsyncIterator()
            #expect(try await rows.next() != nil)
            let watched = reactor.readers.count
            #expect(try await eventually { try await watcher.waitsForItsClient() })
            // The reader has left the reactor: what is in the socket stays there.
            #expect(try await eventually { reactor.readers.count == watched - 1 })
            for _ in 0..<20 { #expect(try await watcher.waitsForItsClient()) }
            for _ in 0..<5000 { #expect(try await rows.next() != nil) }
            #expect(try await eventually { try await watcher.waitsForItsClient() })
        }
    }

    @Test func aBatchIsBoundedHoweverMuchHasArrived() async throws {
        try await Database().withConnection { (connection) async throws in
            let source = StatementRows(connection, Self.endless, timeout: nil)
            for _ in 0..<300 {
                let batch = try #require(try await source.nextBatch())
                #expect(batch.count <= RowGatherer.batchBytes / 1000 + 1)
            }
            await source.close()
            #expect(try await connection.one(Int.self, "SELECT 1") == 1)
        }
    }

    @Test func aTimeoutReachesAConsumerThatDoesNotAsk() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            var rows = pool.stream(Self.endless, timeout: .milliseconds(100)).makeAsyncIterator()
            #expect(try await rows.next() != nil)
            // The statement is cancelled and the connection given back although nobody reads.
            #expect(try await eventually { pool.statistics.counts.borrowed == 0 })
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            let error = try await failure { while try await rows.next() != nil {} }
            #expect(error.code == .timedOut && pool.statistics.connectsSucceeded == 1)
        }
    }

    @Test func theServersEndReachesTheConsumerBehindTheRows() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            var rows = pool.stream(Self.endless).makeAsyncIterator()
            #expect(try await rows.next() != nil)
            #expect(try await eventually { try await watcher.waitsForItsClient() })
            // A backend that is stuck in writing ends when the client reads on.
            let killer = Greenlet.spawn { try await watcher.terminateAll() }
            let error = try await failure { while try await rows.next() != nil {} }
            #expect(error.code == .connectionLost)
            _ = try await killer.get()
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
        }
    }
}

extension Watcher {
    /// Whether a session of the database can write no more because its client does not read.
    func waitsForItsClient() async throws -> Bool {
        try await connection.one(
            "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = \(name) AND wait_event = 'ClientWrite'"
        )
    }
}
