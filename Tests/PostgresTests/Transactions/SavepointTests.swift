import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Savepoints inside savepoints, by whatever way they were asked for, and those that outlive what is around them.
@Suite struct SavepointTests {
    struct Stop: Error {}

    /// Who is asked for the innermost of three.
    enum Way: CaseIterable {
        case pool, outermost, innermost
    }

    @Test(arguments: Way.allCases)
    func actionsOfTheInnermostAreDroppedWithTheSavepointAroundIt(_ way: Way) async throws {
        try await withTable { (pool) async throws in
            var log: [String] = []
            try await pool.transaction { outer in
                try? await pool.transaction { inner in
                    let database: any PostgresDatabase =
                        switch way {
                        case .pool: pool
                        case .outermost: outer
                        case .innermost: inner
                        }
                    try await database.transaction { innermost in
                        try await innermost.execute("INSERT INTO t VALUES (1)")
                        innermost.onCommit { log.append("undone") }
                        innermost.onRollback { log.append("rolled back") }
                    }
                    throw Stop()
                }
                #expect(log == ["rolled back"])
            }
            #expect(log == ["rolled back"])
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 0)
        }
    }

    @Test func aTransactionWhoseSavepointIsAtWorkElsewhereIsNotCommittedHalfDone() async throws {
        try await withTable { (pool) async throws in
            let (isHalfDone, goesOn) = (Event(), Event())
            var other: Greenlet<Void>?
            let error = try await failure {
                try await pool.transaction { outer in
                    other = Greenlet.spawn { () async throws in
                        try await outer.transaction { inner in
                            try await inner.execute("INSERT INTO t VALUES (1)")
                            isHalfDone.set()
                            try await goesOn.wait()
                            try await inner.execute("INSERT INTO t VALUES (2)")
                        }
                    }
                    try await isHalfDone.wait()
                }
            }
            #expect(error.code == .connectionBusy && error.message.contains("savepoint"))
            goesOn.set()
            let late = try await failure { try await other?.get() }
            #expect(late.code == .transactionFinished)
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 0)
        }
    }

    /// Its connection is lent to the next borrower, whom what is left of it must not touch.
    @Test(arguments: [true, false])
    func aSavepointThatOutlivesItsTransactionLeavesTheNextBorrowerAlone(_ fails: Bool) async throws {
        try await withTable { (pool) async throws in
            let (isThere, isLent) = (Event(), Event())
            var other: Greenlet<Void>?
            var log: [String] = []
            await #expect(throws: Stop.self) {
                try await pool.transaction { outer in
                    other = Greenlet.spawn { () async throws in
                        try await outer.transaction { inner in
                            inner.onCommit { log.append("committed") }
                            inner.onRollback { log.append("rolled back") }
                            isThere.set()
                            try await isLent.wait()
                            if fails { throw Stop() }
                        }
                    }
                    try await isThere.wait()
                    throw Stop()
                }
            }
            try await pool.transaction { next in
                try await next.execute("INSERT INTO t VALUES (1)")
                isLent.set()
                do {
                    try await other?.get()
                    Issue.record("a savepoint was released that is no more")
                } catch {
                    #expect(fails ? error is Stop : (error as? PostgresError)?.code == .transactionFinished)
                }
                try await next.execute("INSERT INTO t VALUES (2)")
            }
            #expect(log == ["rolled back"])
            #expect(try await pool.one(Int.self, "SELECT sum(n) FROM t") == 3)
            #expect(pool.statistics.connectsSucceeded == 1)
        }
    }

    /// Two tasks with a savepoint each: to the server the second is inside the first.
    @Test func aSavepointReleasedAroundAnotherIsUndoneWithIt() async throws {
        try await withTable { (pool) async throws in
            let (first, second, isReleased) = (Event(), Event(), Event())
            try await pool.transaction { outer in
                let one = Greenlet.spawn { () async throws in
                    try await outer.transaction { inner in
                        try await inner.execute("INSERT INTO t VALUES (1)")
                        first.set()
                        try await second.wait()
                    }
                }
                let two = Greenlet.spawn { () async throws in
                    try await first.wait()
                    try await outer.transaction { inner in
                        try await inner.execute("INSERT INTO t VALUES (2)")
                        second.set()
                        try await isReleased.wait()
                    }
                }
                #expect(try await failure { try await one.get() }.code == .connectionBusy)
                isReleased.set()
                #expect(try await failure { try await two.get() }.code == .transactionFinished)
                try await outer.execute("INSERT INTO t VALUES (4)")
            }
            #expect(try await pool.one(Int.self, "SELECT sum(n) FROM t") == 4)
        }
    }

    /// What it does on the pool is part of the transaction that goes on.
    @Test func anActionOfARolledBackSavepointUsesTheTransactionAround() async throws {
        try await withTable { (pool) async throws in
            var counts: [Int?] = []
            @ReactorActor @Sendable func count() async {
                counts.append(try? await pool.one(Int.self, "SELECT count(*) FROM t"))
            }
            @ReactorActor @Sendable func nested() async throws {
                try await pool.transaction { outer in
                    try await outer.execute("INSERT INTO t VALUES (1)")
                    try? await pool.transaction { inner in
                        inner.onRollback(count)
                        throw Stop()
                    }
                }
            }
            try await nested()
            try await Greenlet.spawn { () async throws in try await nested() }.get()
            try await Greenlet.spawn {
                try pool.transaction { (outer) throws in
                    try outer.execute("INSERT INTO t VALUES (1)")
                    try? pool.transaction { (inner) throws in
                        inner.onRollback(count)
                        throw Stop()
                    }
                }
            }.get()
            #expect(counts == [1, 2, 3])
        }
    }

    @Test func whatIsInsideAFailedLevelOfManyIsUndone() async throws {
        try await withTable { (pool) async throws in
            var committed: [Int] = []
            @ReactorActor func nest(_ level: Int) async throws {
                try await pool.transaction { tx in
                    tx.onCommit { committed.append(level) }
                    try await pool.execute("INSERT INTO t VALUES (\(level))")
                    guard level < 200 else { return }
                    try? await nest(level + 1)
                    if level == 101 { throw Stop() }
                }
            }
            try await nest(1)
            #expect(committed.sorted() == Array(1...100))
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 100)
        }
    }
}
