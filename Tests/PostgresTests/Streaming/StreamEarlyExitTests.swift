import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// A loop that is left early leaves its connection usable: the same one, at once.
@Suite struct StreamEarlyExitTests {
    // Not FROM generate_series, which makes all rows before it sends the first.
    private static let endless: SQL = "SELECT generate_series(1, 100000000) AS n, repeat('x', 100)"

    @Test func afterABreakTheSameConnectionServesTheNextStatement() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            try await pool.withConnection { (connection) async throws in
                for _ in 0..<5 {
                    for try await _ in connection.stream(Self.endless) { break }
                    #expect(
                        try await connection.one(Int32.self, "SELECT pg_backend_pid()")
                            == connection.processID)
                }
                for try await _ in connection.stream(Self.endless) { break }
            }
            // The connection comes back with the stream's end under way: that is no misuse.
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            #expect(pool.statistics.rolledBackOnReturn == 0 && pool.statistics.connectsSucceeded == 1)
            #expect(try await watcher.seesAtRest(pool))
        }
    }

    @Test func afterABreakAPipelineWaitsForTheStreamsEnd() async throws {
        try await Database().withConnection { (connection) async throws in
            for _ in 0..<3 {
                for try await _ in connection.stream(Self.endless) { break }
                let one = try await connection.pipeline { $0.one(Int.self, "SELECT 1") }
                #expect(one == 1)
                try await connection.withPipeline { (pipeline) async throws in
                    for try await _ in connection.stream(Self.endless) { break }
                    let value = pipeline.one(Int.self, "SELECT 2")
                    try await pipeline.flush()
                    #expect(try value.value == 2)
                }
            }
        }
    }

    /// libpq's single-row mode would go on in the first statement of a pipeline.
    @Test(arguments: [PostgresPoolMode.exclusive, .multiplexed(connections: 1)])
    func whatSharesTheConnectionOfAStreamHasItsRowsInOnePiece(_ mode: PostgresPoolMode) async throws {
        try await Database().withPool(.init(maximum: 1, mode: mode)) { (pool, _) async throws in
            let two: SQL = "VALUES (1), (2)"
            for round in 0..<4 {
                for try await row in pool.stream("SELECT generate_series(1, 10)") {
                    if round % 2 == 0, row.index == 4 { break }
                }
                let (one, other) = try await pool.pipeline { ($0.query(two), $0.one(Int.self, "SELECT 3")) }
                #expect(one.count == 2 && other == 3)
                for try await _ in pool.stream("SELECT generate_series(1, 10)") {}
                let rows = try await pool.query(two)
                #expect(rows.count == 2)
            }
        }
    }

    @Test func anErrorInTheLoopDoesTheSameInEveryForm() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            await #expect(throws: NoFailure.self) {
                for try await _ in pool.stream(Self.endless) { throw NoFailure() }
            }
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            await #expect(throws: NoFailure.self) {
                try await pool.forEachRow(Self.endless) { _ in throw NoFailure() }
            }
            #expect(try await watcher.seesAtRest(pool))
            let greenlet = Greenlet.spawn { () throws in
                #expect(throws: NoFailure.self) {
                    try pool.forEachRow(Self.endless) { _ in throw NoFailure() }
                }
                let first = try pool.withRows(streaming: Self.endless) { rows in
                    for row in rows { return try row.decode(Int.self, at: 0) }
                    return 0
                }
                return first + (try pool.one(Int.self, "SELECT 1"))
            }
            #expect(try await greenlet.get() == 2)
            #expect(pool.statistics.connectsSucceeded == 1 && pool.statistics.connectionsLost == 0)
            #expect(try await watcher.seesAtRest(pool))
        }
    }

    @Test func inATransactionABreakLeavesTheTransactionToBeDecided() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            // A statement that is cancelled fails its transaction, as the server has it.
            let error = try await failure {
                try await pool.transaction { tx in
                    try await tx.execute("INSERT INTO t VALUES (1)")
                    for try await _ in tx.stream(Self.endless) { break }
                }
            }
            #expect(error.code == .transactionRolledBack)
            try await pool.transaction { tx in
                try await tx.execute("INSERT INTO t VALUES (2)")
                try? await tx.transaction { inner in
                    for try await _ in inner.stream(Self.endless) { throw NoFailure() }
                }
                // A short answer was there already: nothing was cancelled.
                for try await _ in tx.stream("SELECT n FROM generate_series(1, 3) n") { break }
            }
            #expect(try await pool.one(Int.self, "SELECT sum(n) FROM t") == 2)
        }
    }

    @Test func anIteratorThatOutlivesItsScopeIsEnded() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            var escaped: PostgresRowStream.Iterator?
            _ = try? await pool.transaction { tx in
                escaped = tx.stream(Self.endless).makeAsyncIterator()
                _ = try await escaped?.next()
            }
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            let error = try await failure { while try await escaped?.next() != nil {} }
            #expect(error.code == .connectionClosed)
            try await pool.withConnection { connection in
                escaped = connection.stream(Self.endless).makeAsyncIterator()
                _ = try await escaped?.next()
            }
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            await #expect(throws: (any Error).self) { while try await escaped?.next() != nil {} }
        }
    }

    @Test func closingTheConnectionEndsItsStream() async throws {
        try await Database().withConnection { (connection) async throws in
            var rows = connection.stream(Self.endless).makeAsyncIterator()
            #expect(try await rows.next() != nil)
            await connection.close()
            let error = try await failure { while try await rows.next() != nil {} }
            #expect(error.code == .connectionLost)
            #expect((error.underlying as? PostgresError)?.code == .connectionClosed)
        }
    }

    @Test func closingThePoolEndsItsStreams() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            var rows = pool.stream(Self.endless).makeAsyncIterator()
            #expect(try await rows.next() != nil)
            await pool.close(grace: .milliseconds(10))
            let error = try await failure { while try await rows.next() != nil {} }
            #expect(error.code == .poolClosed)
        }
    }

    @Test func cancelsAtRandomMomentsKeepTheConnections() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("StreamEarlyExitTests seed \(seed)")
        try await Database().withPool(.init(maximum: 3)) { (pool, watcher) async throws in
            var random = SeededGenerator(seed: seed)
            for round in 0..<120 {
                let leaveAt = Int.random(in: 0..<3000, using: &random)
                let victim = Greenlet.spawn { () async throws in
                    var seen = 0
                    for try await _ in pool.stream(Self.endless) {
                        seen += 1
                        if seen == leaveAt { break }
                    }
                }
                let synchronous = Greenlet.spawn { () throws in
                    var seen = 0
                    #expect(throws: (any Error).self) {
                        try pool.forEachRow(Self.endless) { _ in
                            seen += 1
                            if seen == leaveAt { throw NoFailure() }
                        }
                    }
                }
                let bystander = Greenlet.spawn { try await pool.one(Int.self, "SELECT \(round)") }
                try await Greenlet.sleep(for: .microseconds(Int.random(in: 0..<6000, using: &random)))
                victim.cancel()
                synchronous.cancel()
                #expect(try await bystander.get() == round)
                #expect(try await victim.join())
                #expect(try await synchronous.join())
            }
            #expect(try await eventually { pool.statistics.counts.borrowed == 0 })
            #expect(pool.statistics.connectionsLost == 0 && pool.statistics.connectsSucceeded <= 3)
            #expect(try await watcher.seesAtRest(pool))
        }
    }

    @Test func anIteratorDroppedInAnotherThreadLeavesToo() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            var rows: PostgresRowStream.Iterator? = pool.stream(Self.endless).makeAsyncIterator()
            _ = try await rows?.next()
            let box = Box(rows)
            rows = nil
            await Task.detached { box.value = nil }.value
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            #expect(try await watcher.seesAtRest(pool))
        }
    }
}

/// Unchecked: one user at a time.
private final class Box: @unchecked Sendable {
    var value: PostgresRowStream.Iterator?
    init(_ value: PostgresRowStream.Iterator?) { self.value = value }
}
