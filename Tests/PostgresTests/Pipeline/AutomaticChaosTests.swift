import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Backends die and reads are killed and time out while more greenlets read, write and hold transactions than there are connections.
@Suite struct AutomaticChaosTests {
    @Test func everyReadHasItsOwnAnswerAndNothingIsLostDoubledOrLeaked() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("AutomaticChaosTests seed \(seed)")
        try await Database().withPool(AutomaticPoolTests.options(3)) { (pool, watcher) async throws in
            try await pool.execute("CREATE TABLE entry (number int)")
            try await AutomaticPoolTests.learn(pool)
            let ledger = ChaosLedger()
            let readers = (0..<30).map { reader in
                Greenlet.spawn { () async throws -> Int in
                    var random = SeededGenerator(seed: seed &+ UInt64(reader))
                    var count = 0
                    while !ledger.isOver {
                        count += try await Self.read(pool, Int32(reader), &random) ? 1 : 0
                    }
                    return count
                }
            }
            let writers = (0..<6).map { writer in
                Greenlet.spawn { () async throws in
                    var random = SeededGenerator(seed: seed &+ 1000 &+ UInt64(writer))
                    await ledger.write(pool, &random) { ledger.count >= 300 }
                }
            }
            let killer = ledger.killBackends(by: watcher, every: .milliseconds(60))
            for writer in writers { try await writer.get() }
            ledger.isOver = true
            var reads = 0
            for reader in readers { reads += try await reader.get() }
            try await killer.get()

            try await ledger.check(pool)
            #expect(reads > 100 && ledger.written.count > 30)
            #expect(AutomaticPoolTests.shared(pool) > 0)
            #expect(try await watcher.sessions() <= 3)
            #expect(try await eventually { pool.statistics.counts.borrowed == 0 })
            #expect(pool.multiplexer?.machine.waiting == 0 && pool.multiplexer?.machine.outstanding == 0)
        }
    }

    /// One read; whether it was answered.
    @ReactorActor
    private static func read(_ pool: PostgresPool, _ number: Int32, _ random: inout SeededGenerator)
        async throws
        -> Bool
    {
        let addend = Int32.random(in: 0..<1000, using: &random)
        let body = { @ReactorActor () async throws -> Bool in
            do {
                let rows = try await pool.query("SELECT \(number) + \(addend)", timeout: .seconds(20))
                #expect(try rows[0].decode(Int32.self, at: 0) == number + addend)
                return true
            } catch let error as PostgresError where error.code == .connectionLost { return false }
        }
        guard Int.random(in: 0..<4, using: &random) == 0 else { return try await body() }
        let victim = Greenlet.spawn { () async throws in _ = try await body() }
        try await Greenlet.sleep(for: .microseconds(Int.random(in: 0..<2000, using: &random)))
        victim.cancel()
        _ = try await victim.join()
        return false
    }
}
