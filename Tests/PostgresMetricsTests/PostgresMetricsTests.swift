import LocalPostgres
import Postgres
import PostgresMetrics
import ReactorCore
import ReactorTesting
import TestMetrics
import Testing

@Suite struct PostgresMetricsTests {
    @Test func aPoolsNumbersGoToTheFactory() async throws {
        let url = try LocalCluster.shared().createDatabase()
        try await withReactor { (reactor) async throws in
            let pool = PostgresPool(try PostgresConfiguration(url), .init(label: "shop", maximum: 3))
            let factory = TestMetrics(keys: ["pool", "state", "outcome", "reason"])
            let metrics = pool.reportMetrics(every: .seconds(3600), factory: factory)
            for _ in 0..<5 { try await pool.execute("SELECT 1") }
            metrics.report()
            func last(_ name: String, _ rest: String = "") -> Double? {
                factory["postgres_pool_\(name) pool=shop\(rest)"].last
            }
            #expect(last("connections", " state=idle") == 1 && last("connections", " state=borrowed") == 0)
            #expect(last("maximum") == 3 && last("waiting") == 0)
            #expect(last("acquired_total") == 5 && last("connects_total", " outcome=succeeded") == 1)
            try await pool.withConnection { connection in
                try await connection.execute("SELECT 1")
                metrics.report()
            }
            // Totals are told as what came since.
            #expect(last("acquired_total") == 1 && last("connections", " state=borrowed") == 1)
            pool.recycle()
            metrics.report()
            #expect(last("evictions_total", " reason=recycled") == 1)
            metrics.stop()
            await pool.close()
        }
    }

    @Test func sharedStatementsAreReportedWhereTheyAreShared() async throws {
        let url = try LocalCluster.shared().createDatabase()
        try await withReactor { (_) async throws in
            let options = PostgresPoolOptions(label: "shop", maximum: 1, mode: .multiplexed(connections: 1))
            let pool = PostgresPool(try PostgresConfiguration(url), options)
            let factory = TestMetrics()
            let metrics = pool.reportMetrics(every: .seconds(3600), factory: factory)
            for _ in 0..<5 { try await pool.execute("SELECT 1") }
            metrics.report()
            for name in ["shared_statements_total", "shared_batches_total"] {
                #expect(factory["postgres_pool_\(name)"].last == 5, "\(name)")
            }
            #expect(factory["postgres_pool_shared_longest_pipeline"].last == 1)
            #expect(factory["postgres_pool_shared_reruns_total"].last == 0)
            #expect(factory["postgres_pool_bytes_total"].isEmpty)
            #expect(factory["postgres_pool_connect_nanoseconds_total"].last ?? 0 > 0)
            metrics.stop()
            await pool.close()
        }
    }

    @Test func reportsComeAtTheirIntervalUntilTheyAreStopped() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { (reactor) async throws in
            let pool = PostgresPool(try PostgresConfiguration("host=/nowhere user=app"), .init(label: "shop"))
            let factory = TestMetrics()
            let metrics = pool.reportMetrics(every: .seconds(1), factory: factory)
            await clock.pump([.milliseconds(999)])
            #expect(factory.values.isEmpty)
            await clock.pump([.milliseconds(1)])
            #expect(factory["postgres_pool_maximum"] == [10])
            metrics.stop()
            await clock.pump([.seconds(5)])
            #expect(factory["postgres_pool_maximum"] == [10])
            await pool.close()
        }
    }
}
