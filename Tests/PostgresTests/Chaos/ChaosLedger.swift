import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// What writers were told, by the number that each wrote; compared with what is there in the end.
@ReactorActor
final class ChaosLedger {
    private(set) var written: Set<Int> = []
    private(set) var refused: Set<Int> = []
    private(set) var unknown: Set<Int> = []
    /// How many numbers were given out.
    private(set) var count = 0
    /// Set when the writers are done, for whoever disturbs them.
    var isOver = false

    /// A number that nobody has used.
    func number() -> Int {
        count += 1
        return count
    }

    /// Runs one write and notes what became of it. Every error but those that say that nobody knows, cancellations and
    /// time-outs among them, says that nothing has been written.
    func note(_ number: Int, _ body: @ReactorActor () async throws -> Void) async {
        do {
            try await body()
            written.insert(number)
        } catch let error as PostgresError where error.isOutcomeUnknown {
            unknown.insert(number)
        } catch {
            refused.insert(number)
        }
    }

    /// Ends one session of the database after the other, whichever comes, until `isOver`.
    func killBackends(by watcher: Watcher, every pause: Duration) -> Greenlet<Void> {
        Greenlet.spawn { () async throws in
            while !self.isOver {
                try await Greenlet.sleep(for: pause)
                try await watcher.connection.execute(
                    """
                    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = \(watcher.name)
                    ORDER BY random() LIMIT 1
                    """)
            }
        }
    }

    /// Writes on until `isOver`: single statements and transactions with savepoints, each number twice.
    func write(_ pool: PostgresPool, _ random: inout SeededGenerator, until isOver: @ReactorActor () -> Bool)
        async
    {
        while !isOver() {
            let number = number()
            let row = Int32(number)
            if Bool.random(using: &random) {
                await note(number) {
                    _ = try await pool.query(
                        "INSERT INTO entry SELECT \(row) FROM generate_series(1, 2)", timeout: .seconds(2))
                }
            } else {
                await note(number) {
                    try await pool.transaction { tx in
                        _ = try await tx.query("INSERT INTO entry VALUES (\(row))", timeout: .seconds(2))
                        try await tx.transaction { inner in
                            _ = try await inner.query(
                                "INSERT INTO entry VALUES (\(row))", timeout: .seconds(2))
                        }
                    }
                }
            }
            // Not faster than a fault can meet.
            try? await reactor.sleep(for: .milliseconds(Int.random(in: 0..<5, using: &random)))
        }
    }

    /// Compares with the table `entry`.
    func check(_ db: any PostgresDatabase, _ place: SourceLocation = #_sourceLocation) async throws {
        var found: [Int: Int] = [:]
        for row in try await db.query("SELECT number, count(*) FROM entry GROUP BY number") {
            found[try row.decode(Int.self, at: 0)] = try row.decode(Int.self, at: 1)
        }
        let lost = written.filter { found[$0] != 2 }
        let undead = refused.filter { found[$0] != nil }
        let halves = found.filter { $0.value != 2 }
        #expect(lost.isEmpty, "writes that were reported are missing", sourceLocation: place)
        #expect(undead.isEmpty, "writes that were refused are there", sourceLocation: place)
        #expect(halves.isEmpty, "halves of writes, or writes made twice, are there", sourceLocation: place)
    }
}
