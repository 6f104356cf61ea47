import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct AmbientTransactionTests {
    struct Stop: Error {}

    @Test func thePoolInsideATransactionIsThatTransaction() async throws {
        // A pool of one: any other connection would be waited for in vain.
        try await withTable { (pool) async throws in
            await #expect(throws: Stop.self) {
                try await pool.transaction { tx in
                    try await pool.execute("INSERT INTO t VALUES (1)")
                    #expect(try await tx.one(Int.self, "SELECT count(*) FROM t") == 1)
                    let pid = try await pool.withConnection { $0.processID }
                    #expect(pid == tx.processID)
                    throw Stop()
                }
            }
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 0)
        }
    }

    @Test func aTransactionOfThePoolInsideIsASavepoint() async throws {
        try await withTable { (pool) async throws in
            try await pool.transaction { _ in
                try await pool.execute("INSERT INTO t VALUES (1)")
                try? await pool.transaction { _ in
                    try await pool.execute("INSERT INTO t VALUES (2)")
                    throw Stop()
                }
            }
            #expect(try await pool.one(Int.self, "SELECT sum(n) FROM t") == 1)
        }
    }

    /// The pool is asked each time, and knows the outermost; the savepoints are in one another all the same.
    @Test func aSavepointBelongsToTheOneThatIsOpenAroundIt() async throws {
        try await withTable { (pool) async throws in
            var log: [String] = []
            try await pool.transaction { (outer) async throws in
                try? await pool.transaction { (middle) async throws in
                    try await pool.transaction { inner in
                        inner.onCommit { log.append("undone") }
                        inner.onRollback { log.append("inner") }
                        try await pool.execute("INSERT INTO t VALUES (1)")
                    }
                    // Of the outermost's own, and in the savepoint that is open nevertheless.
                    try await outer.transaction { inner in inner.onRollback { log.append("another") } }
                    middle.onRollback { log.append("middle") }
                    throw Stop()
                }
                #expect(log == ["inner", "another", "middle"])
                try await pool.transaction { inner in inner.onCommit { log.append("kept") } }
            }
            #expect(log == ["inner", "another", "middle", "kept"])
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 0)
        }
    }

    @Test func aTransactionOfALentConnectionInsideIsASavepointToo() async throws {
        try await withTable { (pool) async throws in
            try await Greenlet.spawn { () async throws in
                try await pool.transaction { _ in
                    try await pool.execute("INSERT INTO t VALUES (1)")
                    try? await pool.withConnection { connection in
                        try await connection.transaction { _ in
                            try await connection.execute("INSERT INTO t VALUES (2)")
                            throw Stop()
                        }
                    }
                    let escaped = try await pool.withConnection { $0 }
                    let error = try await failure { try await escaped.transaction { _ in } }
                    #expect(error.code == .connectionClosed)
                }
            }.get()
            let count = try await Greenlet.spawn {
                try pool.transaction { _ in
                    try pool.withConnection { connection in
                        try connection.transaction { _ in try pool.execute("INSERT INTO t VALUES (4)") }
                    }
                }
            }.get()
            #expect(count == 1)
            #expect(try await pool.one(Int.self, "SELECT sum(n) FROM t") == 5)
        }
    }

    @Test func synchronousCodeSharesItToo() async throws {
        try await withTable { (pool) async throws in
            try await Greenlet.spawn {
                try pool.transaction { _ in
                    try pool.execute("INSERT INTO t VALUES (1)")
                    try? pool.transaction { _ in
                        try pool.execute("INSERT INTO t VALUES (2)")
                        throw Stop()
                    }
                    try Greenlet.sleep(for: .milliseconds(5))
                    #expect(try pool.one(Int.self, "SELECT sum(n) FROM t") == 1)
                }
            }.get()
            #expect(try await pool.one(Int.self, "SELECT sum(n) FROM t") == 1)
        }
    }

    @Test func aTimeoutInsideKeepsTheTransaction() async throws {
        try await withTable { (pool) async throws in
            try await Greenlet.spawn { () async throws in
                try await pool.transaction { tx in
                    try await withTimeout(.seconds(60)) { () async throws in
                        _ = try await pool.execute("INSERT INTO t VALUES (1)")
                    }
                    #expect(try await tx.one(Int.self, "SELECT count(*) FROM t") == 1)
                }
            }.get()
        }
    }

    @Test func aGreenletSpawnedInsideIsToldThatItHasNoPartInIt() async throws {
        try await withTable(maximum: 2) { (pool) async throws in
            try await Greenlet.spawn { () async throws in
                try await pool.transaction { _ in
                    try await pool.execute("INSERT INTO t VALUES (1)")
                    let child = Greenlet.spawn { () async throws in
                        try await pool.one(Int.self, "SELECT count(*) FROM t")
                    }
                    let error = try await failure { _ = try await child.get() }
                    #expect(error.code == .transactionNotShared)
                    // Outside it sees what is committed.
                    let outside = Greenlet.spawn { () async throws in
                        try await pool.outsideTransaction {
                            try await pool.one(Int.self, "SELECT count(*) FROM t")
                        }
                    }
                    #expect(try await outside.get() == 0)
                }
            }.get()
        }
    }

    @Test func aGreenletThatOutlivesTheTransactionUsesThePoolAsAnybody() async throws {
        try await withTable { (pool) async throws in
            let isOver = Event()
            let child = try await pool.transaction { _ in
                Greenlet.spawn { () async throws in
                    try await isOver.wait()
                    return try await pool.one(Int.self, "SELECT 1")
                }
            }
            isOver.set()
            #expect(try await child.get() == 1)
        }
    }

    @Test func whatIsDoneOutsideStaysWhenTheTransactionIsRolledBack() async throws {
        try await withTable(maximum: 2) { (pool) async throws in
            await #expect(throws: Stop.self) {
                try await pool.transaction { _ in
                    try await pool.execute("INSERT INTO t VALUES (1)")
                    try await pool.outsideTransaction { () async throws in
                        _ = try await pool.execute("INSERT INTO t VALUES (20)")
                    }
                    throw Stop()
                }
            }
            #expect(try await pool.one(Int.self, "SELECT sum(n) FROM t") == 20)
        }
    }

    @Test func anotherPoolIsNotConcerned() async throws {
        let database = try Database()
        try await database.withPool(.init(maximum: 1)) { (pool, _) async throws in
            let other = PostgresPool(database.configuration, .init(maximum: 1))
            try await pool.transaction { tx in
                let pid = try await other.one(Int.self, "SELECT pg_backend_pid()")
                #expect(pid != Int(tx.processID))
            }
            await other.close()
        }
    }

    @Test func oneThatIsOverIsNotKeptByWhatItHasBegun() async throws {
        try await withTable { (pool) async throws in
            let over = Event()
            let follower = try await pool.transaction { _ in
                Greenlet.spawn { () async throws -> Bool in
                    try await over.wait()
                    return try await pool.transaction { _ in AmbientTransaction.current?.outer == nil }
                }
            }
            over.set()
            let isFirst = try await follower.get()
            #expect(isFirst)
        }
    }

    @Test func aTransactionOfAnotherPoolInsideDoesNotHideIt() async throws {
        let database = try Database()
        try await database.withPool(.init(maximum: 1)) { (pool, _) async throws in
            let other = PostgresPool(database.configuration, .init(maximum: 1))
            try await pool.transaction { outer in
                try await other.transaction { inner in
                    // Of pools of one each: any other connection would be waited for in vain.
                    #expect(try await pool.one(Int.self, "SELECT pg_backend_pid()") == Int(outer.processID))
                    #expect(try await other.one(Int.self, "SELECT pg_backend_pid()") == Int(inner.processID))
                    try await pool.transaction { savepoint in
                        #expect(savepoint.savepoint != nil && savepoint.processID == outer.processID)
                    }
                }
                #expect(try await other.one(Int.self, "SELECT pg_backend_pid()") != Int(outer.processID))
            }
            await other.close()
        }
    }
}
