import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// What a pool knows of the bytes that it moves.
@Suite struct PoolTrafficTests {
    @Test(arguments: ["disable", "require"])
    func bytesOverTCPAreTheKernels(_ mode: String) async throws {
        try await TLSConnectTests().withServer(names: "DNS:db.example") { (configuration, _) async throws in
            var configuration = configuration
            configuration["sslmode"] = mode
            let pool = PostgresPool(configuration, .init(label: "traffic", maximum: 2))
            #expect(pool.statistics.bytesSent == nil)
            let text = String(repeating: "x", count: 1_000_000)
            #expect(try await pool.one(Int.self, "SELECT length(\(text))") == 1_000_000)
            let sent = try #require(pool.statistics.bytesSent)
            let before = try #require(pool.statistics.bytesReceived)
            #expect((1_000_000..<1_200_000).contains(sent) && before > 100 && before < 100_000)
            _ = try await pool.query("SELECT repeat('x', 500000)")
            let received = try #require(pool.statistics.bytesReceived)
            #expect((500_000..<600_000).contains(received - before))
            // Those of connections that are gone still count.
            await pool.close()
            let end = pool.statistics
            #expect(end.counts.total == 0 && end.bytesSent! >= sent && end.bytesReceived! >= received)
        }
    }

    @Test func overUNIXSocketsNobodyCounts() async throws {
        try await Database().withPool { (pool, _) async throws in
            try await pool.execute("SELECT 1")
            #expect(pool.statistics.bytesSent == nil && pool.statistics.bytesReceived == nil)
        }
    }
}
