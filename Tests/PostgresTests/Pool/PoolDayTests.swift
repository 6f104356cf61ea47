import ConnectionPools
import Glibc
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// A day of a pool's life: the clock is turned by hand, the server is real.
@Suite struct PoolDayTests {
    /// What an hour of idleness and bursts may leave behind.
    private struct Traces: Equatable {
        var delayedCalls: Int
        var descriptors: Int
        var counts: PoolCounts
        var serverSessions: Int
    }

    @Test(arguments: [PostgresPoolMode.exclusive, .multiplexed(connections: 2)])
    func twentyFourHoursOfIdlenessAndBurstsLeaveNoGrowth(_ mode: PostgresPoolMode) async throws {
        let database = try Database()
        let clock = ManualClock()
        try await withReactor(clock: clock, timeLimit: .seconds(600)) { (reactor) async throws in
            let watcher = try await Watcher(database.configuration)
            var options = PostgresPoolOptions(label: "day", maximum: 4, minimum: 1, mode: mode)
            options.maximumLifetime = .seconds(1800)
            options.idleTimeout = .seconds(600)
            var configuration = database.configuration
            // The hand's seconds are shorter than the server's.
            configuration.cancelGrace = .seconds(60)
            let pool = PostgresPool(configuration, options)
            var hours: [Traces] = []
            for _ in 0..<24 {
                // Another burst every quarter of an hour, behind idleness that ends some connections and checks others.
                for _ in 0..<4 {
                    try await Self.burst(on: pool, clock)
                    try await Self.settle(pool, clock)
                    for _ in 0..<15 {
                        clock.advance(by: .seconds(60))
                        try await Self.settle(pool, clock)
                    }
                }
                hours.append(try await Self.rest(of: pool, clock, watcher))
            }
            // The first hour has made what stays: the watchers, the tickers, the one connection kept.
            for hour in hours.dropFirst() { #expect(hour == hours[1]) }
            #expect(hours[1].counts.total == 1 && hours[1].serverSessions == 1)
            let statistics = pool.statistics
            #expect(statistics.connectsFailed == 0 && statistics.lastConnectError == nil)
            #expect(statistics.connectionsLost == 0 && statistics.leaks == 0)
            // At least one connection an hour is replaced for its age, at most all after each quarter's idleness.
            #expect((24...96 * 5).contains(statistics.connectsSucceeded), "\(statistics.connectsSucceeded)")
            await pool.close()
            await watcher.connection.close()
        }
    }

    /// Twenty greenlets at once: statements, transactions, one that is killed, errors.
    @ReactorActor private static func burst(on pool: PostgresPool, _ clock: ManualClock) async throws {
        let greenlets = (0..<20).map { number in
            Greenlet.spawn { () async throws in
                switch number % 4 {
                case 0:
                    try await pool.transaction { transaction in
                        _ = try await transaction.query("SELECT \(number) + 1")
                    }
                case 1:
                    let error = await #expect(throws: PostgresError.self) {
                        _ = try await pool.query("SELECT 1 / \(number - number)")
                    }
                    #expect(error?.sqlState == .divisionByZero)
                default: #expect(try await pool.one(Int.self, "SELECT \(number)::int8 * 2") == number * 2)
                }
            }
        }
        let victim = Greenlet.spawn { () async throws in try await pool.execute("SELECT pg_sleep(60)") }
        for greenlet in greenlets { try await greenlet.get() }
        // A cancel request that comes before its statement is in vain, and made again by a timer.
        victim.cancel()
        while !victim.isReady { try await tick(clock) }
    }

    /// What the hand's turn of the clock has begun ends in the server's own time.
    @ReactorActor private static func settle(_ pool: PostgresPool, _ clock: ManualClock) async throws {
        func isAtWork() -> Bool {
            let counts = pool.statistics.counts
            return counts.opening > 0 || counts.closing > 0 || counts.borrowed > 0
        }
        await reactor.yield()
        while isAtWork() { try await tick(clock) }
    }

    /// What there is once all that is over has been given up, one by one. While the server was asked, something may have become
    /// due: then it was not over.
    @ReactorActor private static func rest(
        of pool: PostgresPool, _ clock: ManualClock, _ watcher: Watcher
    ) async throws -> Traces {
        for _ in 0..<100 {
            for _ in 0..<20_000 where pool.statistics.counts.total != 1 { try await tick(clock) }
            try await settle(pool, clock)
            let traces = try await traces(of: pool, watcher)
            if traces.counts.total == 1, traces.counts == pool.statistics.counts { return traces }
        }
        return try await traces(of: pool, watcher)
    }

    /// A millisecond, no sooner than the server has had half of one.
    @ReactorActor private static func tick(_ clock: ManualClock) async throws {
        clock.advance(by: .milliseconds(1))
        try await reactor.deferToThread { _ = usleep(500) }.value
    }

    @ReactorActor
    private static func traces(of pool: PostgresPool, _ watcher: Watcher) async throws -> Traces {
        // A session's process outlives its connection for a moment.
        while try await watcher.sessions() > pool.statistics.counts.total { await reactor.yield() }
        return Traces(
            delayedCalls: reactor.delayedCallCount, descriptors: reactor.watchedDescriptors.count,
            counts: pool.statistics.counts, serverSessions: try await watcher.sessions())
    }
}
