import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// A transaction knows why it has failed, however the statement was sent and whoever has swallowed its error.
@Suite struct SwallowedFailureTests {
    private static let conflict: SQL = "SELECT conflict()"

    /// A pool of one connection, and a function that fails as a serializable transaction does.
    func withPool(_ body: @escaping @Sendable @ReactorActor (PostgresPool) async throws -> Void) async throws
    {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute(
                """
                CREATE FUNCTION conflict() RETURNS int LANGUAGE plpgsql AS
                $$ BEGIN RAISE 'conflict' USING ERRCODE = '40001'; END $$
                """)
            try await pool.execute("CREATE TABLE t (n int DEFAULT 0 CHECK (n <> 7 OR conflict() > 0))")
            try await body(pool)
        }
    }

    enum Way: CaseIterable {
        case statement, stream, copyOut, copyIn, pipeline, script, cursor, poolStatement

        @ReactorActor
        func fail(_ tx: PostgresTransaction, _ pool: PostgresPool) async throws {
            switch self {
            case .statement: try await tx.execute(conflict)
            case .stream: for try await _ in tx.stream(conflict) {}
            case .copyOut: for try await _ in tx.copyOut(query: conflict) {}
            case .copyIn: try await tx.copyIn(into: "t", columns: ["n"], rows: [Int32(7)])
            case .pipeline: try await tx.pipeline { $0.execute(conflict) }
            case .script: try await pool.withConnection { try await $0.script(conflict.text) }
            case .cursor: for try await _ in tx.cursor(conflict) {}
            case .poolStatement: try await pool.execute(conflict)
            }
        }
    }

    @Test(arguments: Way.allCases)
    func itIsRunAgainAndNamed(_ way: Way) async throws {
        try await withPool { (pool) async throws in
            var runs = 0
            try await pool.transaction(retry: 1) { tx in
                runs += 1
                if runs == 1 { try? await way.fail(tx, pool) }
            }
            #expect(runs == 2)
            let error = try await failure {
                try await pool.transaction { tx in try? await way.fail(tx, pool) }
            }
            #expect(error.code == .transactionRolledBack)
            #expect((error.underlying as? PostgresError)?.sqlState == .serializationFailure)
        }
    }

    @Test(arguments: Way.allCases)
    func insideASavepointOfThePoolItIsNamedToo(_ way: Way) async throws {
        try await withPool { (pool) async throws in
            var runs = 0
            try await pool.transaction(retry: 1) { _ in
                runs += 1
                try await pool.transaction { inner in
                    if runs == 1 { try? await way.fail(inner, pool) }
                }
            }
            #expect(runs == 2)
        }
    }

    @Test func aStatementOfTheSameSegmentIsReadWithoutHidingIt() async throws {
        try await withPool { (pool) async throws in
            var runs = 0
            try await pool.transaction(retry: 1) { tx in
                runs += 1
                try await tx.withPipeline { (pipeline) async throws in
                    let first = pipeline.one(Int.self, "SELECT 1")
                    if runs == 1 { pipeline.execute(Self.conflict) }
                    try await pipeline.flush()
                    #expect(try first.value == 1)
                }
            }
            #expect(runs == 2)
        }
    }

    @Test func anErrorOfTheBodysOwnDoesNotHideIt() async throws {
        struct StorageFailed: Error {}
        try await withPool { (pool) async throws in
            var runs = 0
            await #expect(throws: StorageFailed.self) {
                try await pool.transaction(retry: 2) { tx in
                    runs += 1
                    do { try await tx.execute(Self.conflict) } catch { throw StorageFailed() }
                }
            }
            #expect(runs == 3)
            let greenlet = Greenlet.spawn { () throws in
                try pool.transaction(retry: 2) { tx in
                    runs += 1
                    do { try tx.execute(Self.conflict) } catch { throw StorageFailed() }
                }
            }
            await #expect(throws: StorageFailed.self) { try await greenlet.get() }
            #expect(runs == 6)
            // Its own reason, or none that another run would cure.
            await #expect(throws: StorageFailed.self) {
                try await pool.transaction(retry: 2) { tx in
                    runs += 1
                    if runs == 7 { throw StorageFailed() }
                }
            }
            await #expect(throws: StorageFailed.self) {
                try await pool.transaction(retry: 2) { tx in
                    runs += 1
                    do { try await tx.execute("SELECT 1/0") } catch { throw StorageFailed() }
                }
            }
            #expect(runs == 8)
        }
    }

    @Test func theNextStatementsComplaintIsNotTakenForTheReason() async throws {
        try await withPool { (pool) async throws in
            var runs = 0
            try await pool.transaction(retry: 1) { tx in
                runs += 1
                if runs == 1 { _ = try? await tx.execute(Self.conflict) }
                try await tx.execute("SELECT 1")
            }
            #expect(runs == 2)
            let other = try await failure {
                try await pool.transaction(retry: 3) { tx in
                    runs += 1
                    _ = try? await tx.execute("SELECT 1/0")
                    try await tx.execute("SELECT 1")
                }
            }
            #expect(other.sqlState == .inFailedSQLTransaction && runs == 3)
        }
    }

    /// What a savepoint has undone is no reason for what fails later.
    @Test(arguments: [true, false])
    func whatWasUndoneIsForgotten(_ isByHand: Bool) async throws {
        try await withPool { (pool) async throws in
            var runs = 0
            let error = try await failure {
                try await pool.transaction(retry: 3) { tx in
                    runs += 1
                    if isByHand {
                        try await tx.execute("SAVEPOINT mine")
                        _ = try? await pool.execute(Self.conflict)
                        try await tx.execute("ROLLBACK TO SAVEPOINT mine")
                    } else {
                        try? await pool.transaction { _ in _ = try? await pool.execute(Self.conflict) }
                    }
                    _ = try? await tx.execute("SELECT 1/0")
                }
            }
            #expect(runs == 1 && error.code == .transactionRolledBack)
            #expect((error.underlying as? PostgresError)?.sqlState?.rawValue == "22012")
        }
    }

    @Test func whatFailedOutsideATransactionIsForgotten() async throws {
        try await withPool { (pool) async throws in
            _ = try? await pool.execute(Self.conflict)
            _ = try? await pool.pipeline { $0.execute(Self.conflict) }
            var runs = 0
            let error = try await failure {
                try await pool.transaction(retry: 3) { tx in
                    runs += 1
                    _ = try? await tx.execute("SELECT 1/0")
                }
            }
            #expect(runs == 1 && (error.underlying as? PostgresError)?.sqlState?.rawValue == "22012")
        }
    }
}
