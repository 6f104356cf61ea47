import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Backends die, statements are cancelled and time out, while greenlets write on shared connections: what was reported is there.
@Suite struct MultiplexedChaosTests {
    @Test func nothingIsLostDoubledOrLeaked() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("MultiplexedChaosTests seed \(seed)")
        try await Database().withPool(MultiplexedPoolTests.options(3, maximum: 4)) {
            (pool, watcher) async throws in
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
            #expect(ledger.count == 300 && ledger.written.count > 30)
            #expect(try await watcher.sessions() <= 4)
            #expect(try await eventually { pool.statistics.counts.borrowed == 0 })
            #expect(pool.multiplexer?.machine.waiting == 0 && pool.multiplexer?.machine.outstanding == 0)
        }
    }

    /// Writes one number twice, in one of several ways, some of which are meant to fail.
    @ReactorActor
    private static func write(_ pool: PostgresPool, _ ledger: ChaosLedger, _ random: inout SeededGenerator)
        async throws
    {
        let number = ledger.number()
        let statement: SQL =
            "INSERT INTO entry SELECT \(Int32(number)) FROM generate_series(1, 2), pg_sleep(0.001)"
        switch Int.random(in: 0..<5, using: &random) {
        case 0, 1: await ledger.note(number) { _ = try await pool.execute(statement) }
        case 2:
            // Refused by the server, behind the first of its rows.
            await ledger.note(number) {
                _ = try await pool.execute(
                    "INSERT INTO entry SELECT \(Int32(number)) / n FROM generate_series(1, 0, -1) n")
            }
        case 3:
            await ledger.note(number) {
                _ = try await pool.query(statement, timeout: .milliseconds(3))
            }
        default:
            let victim = Greenlet.spawn { () async throws in
                await ledger.note(number) { _ = try await pool.execute(statement) }
            }
            try await Greenlet.sleep(for: .microseconds(Int.random(in: 0..<6000, using: &random)))
            victim.cancel()
            _ = try await victim.join()
        }
    }
}
