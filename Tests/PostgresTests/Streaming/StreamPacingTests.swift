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

    /// The cancel request is on its way, and what the server had sent is being thrown away.
    @Test func aTimeoutIsToldToAConsumerWhoAsksBeforeTheServerHasObeyed() async throws {
        try await Database().withConnection { (connection) async throws in
            let rows = connection.stream(Self.endless).reader
            #expect(try await rows.nextBatch() != nil)
            let session = connection.session
            session.interrupt(.timedOut(.seconds(1)), exchange: session.exchange.number)
            let error = try await failure { while try await rows.nextBatch() != nil {} }
            #expect(error.code == .timedOut)
            #expect(try await connection.one(Int.self, "SELECT 1") == 1)
        }
    }

    @Test(arguments: [true, false])
    func aSecondReaderIsRefusedAndTheFirstHasAllRows(_ isCursor: Bool) async throws {
        let numbers: SQL = "SELECT n, repeat('x', 10000) FROM generate_series(1, 100) n"
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.transaction { tx in
                let rows = (isCursor ? tx.cursor(numbers, fetch: 10) : tx.stream(numbers)).reader
                let first = Greenlet.spawn { () async throws in
                    var count = 0
                    while let batch = try await rows.nextBatch() { count += batch.count }
                    return count
                }
                var refusals = 0
                // The first begins.
                await reactor.yield()
                while first.result == nil {
                    do {
                        guard let batch = try await rows.nextBatch() else { break }
                        Issue.record("\(batch.count) rows went to the second reader")
                    } catch let error as PostgresError where error.code == .connectionBusy {
                        #expect(error.message.contains("two tasks"))
                        refusals += 1
                    }
                    await reactor.yield()
                }
                #expect(try await first.get() == 100)
                #expect(refusals > 0)
            }
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
