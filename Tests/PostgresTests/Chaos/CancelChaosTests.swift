import Glibc
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Statements are cancelled at random moments while others run on the same connections: none hits another's statement, none costs
/// a connection.
///
/// `CHAOS_CANCELS` says how many there are in each mode of the pool, `CHAOS_SEED` repeats a run; see `Scripts/chaos`.
@Suite struct CancelChaosTests {
    static let count = getenv("CHAOS_CANCELS").flatMap { Int(String(cString: $0)) } ?? 300

    @ReactorActor final class Tally {
        var isOver = false
        var served = 0
        var cancelled = 0
    }

    @Test(arguments: [PostgresPoolMode.exclusive, .automatic, .multiplexed(connections: 3)])
    func randomCancelsHitOnlyTheirOwnStatement(mode: PostgresPoolMode) async throws {
        let seed = ServerChaosTests.seed
        print("CancelChaosTests \(mode) seed \(seed)")
        try await Database().withPool(.init(maximum: 4, mode: mode)) { (pool, watcher) async throws in
            let tally = Tally()
            for _ in 0..<3 { try await pool.execute("SELECT \(Int32(1)) FROM pg_sleep(\(0.0))") }
            let bystanders = (0..<12).map { number in
                Greenlet.spawn { () async throws in
                    while !tally.isOver {
                        let value: Int32 = try await pool.one(
                            "SELECT \(Int32(number)) FROM pg_sleep(\(0.0005))")
                        #expect(value == Int32(number))
                        tally.served += 1
                    }
                }
            }
            let killers = (0..<10).map { killer in
                Greenlet.spawn { () async throws in
                    var random = SeededGenerator(seed: seed &+ UInt64(killer))
                    for _ in 0..<(Self.count / 10) { try await Self.cancelOne(pool, tally, &random) }
                }
            }
            for killer in killers { try await killer.get() }
            tally.isOver = true
            for bystander in bystanders { try await bystander.get() }
            let statistics = pool.statistics
            #expect(statistics.connectionsLost == 0 && statistics.connectsSucceeded <= 4)
            // Shared connections are not given back.
            #expect(
                mode == .exclusive
                    ? try await watcher.seesAtRest(pool) : try await watcher.seesIdleSessions())
            #expect(tally.cancelled > 0)
            print("served \(tally.served), cancelled \(tally.cancelled), re-run \(statistics.sharing.reruns)")
        }
    }

    @ReactorActor
    private static func cancelOne(
        _ pool: PostgresPool, _ tally: Tally, _ random: inout SeededGenerator
    ) async throws {
        let seconds = Double.random(in: 0..<0.004, using: &random)
        let victim = Greenlet.spawn {
            await outcome {
                try await pool.one(Int32.self, "SELECT \(Int32(99)) FROM pg_sleep(\(seconds))")
            }
        }
        try await Greenlet.sleep(for: .microseconds(Int.random(in: 0..<6000, using: &random)))
        victim.cancel()
        // Killed before it began, it has no outcome.
        switch await outcome({ try await victim.get() }) {
        case .success(.success(let value)): #expect(value == 99)
        case .success(.failure(let error)), .failure(let error):
            #expect(!(error is PostgresError), "\(error)")
            tally.cancelled += 1
        }
    }
}
