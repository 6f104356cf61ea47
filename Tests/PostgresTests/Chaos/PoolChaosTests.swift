import ConnectionPools
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Backends die, statements are cancelled and time out, while greenlets write: what the pool reported is what is there.
@Suite struct PoolChaosTests {
    @Test func nothingIsLostDoubledOrLeaked() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("PoolChaosTests seed \(seed)")
        try await Database().withPool(.init(maximum: 5)) { (pool, watcher) async throws in
            try await pool.execute("CREATE TABLE entry (number int)")
            let ledger = ChaosLedger()
            let writers = (0..<20).map { writer in
                Greenlet.spawn { () async throws in
                    var random = SeededGenerator(seed: seed &+ UInt64(writer))
                    for _ in 0..<15 { try await Self.write(pool, ledger, &random) }
                }
            }
            let killer = ledger.killBackends(by: watcher, every: .milliseconds(50))
            for writer in writers { try await writer.get() }
            ledger.isOver = true
            try await killer.get()

            try await ledger.check(pool)
            #expect(ledger.written.count > 50 && ledger.count == 300)

            // The pool still serves its maximum, and no more.
            let holders = Holders(10, of: pool)
            #expect(try await eventually { pool.statistics.counts.borrowed == 5 })
            #expect(try await watcher.sessions() <= 5)
            try await holders.release()
            #expect(pool.statistics.counts.borrowed == 0 && pool.statistics.counts.waiting == 0)
            #expect(pool.statistics.acquireTimeouts == 0)
        }
    }

    /// Writes one number twice, in one of several ways, some of which are meant to fail.
    @ReactorActor
    private static func write(_ pool: PostgresPool, _ ledger: ChaosLedger, _ random: inout SeededGenerator)
        async throws
    {
        let number = ledger.number()
        let statement: SQL =
            "INSERT INTO entry SELECT \(Int32(number)) FROM generate_series(1, 2), pg_sleep(0.002)"
        switch Int.random(in: 0..<5, using: &random) {
        case 0, 1:
            await ledger.note(number) { try await pool.execute(statement) }
        case 2:
            await ledger.note(number) {
                try await pool.transaction { tx in
                    try await tx.execute("INSERT INTO entry VALUES (\(Int32(number)))")
                    try? await tx.transaction { inner in
                        try await inner.execute("INSERT INTO entry VALUES (\(Int32(number)))")
                        throw NoFailure()
                    }
                    try await tx.execute("INSERT INTO entry VALUES (\(Int32(number)))")
                }
            }
        case 3:
            await ledger.note(number) { _ = try await pool.query(statement, timeout: .milliseconds(2)) }
        default:
            let victim = Greenlet.spawn { () async throws in
                await ledger.note(number) {
                    try await pool.transaction { tx in _ = try await tx.execute(statement) }
                }
            }
            try await Greenlet.sleep(for: .microseconds(Int.random(in: 0..<6000, using: &random)))
            victim.cancel()
            #expect(try await victim.join())
        }
    }
}
