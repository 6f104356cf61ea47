import ConnectionPools
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct PostgresLeaseTests {
    @Test func aLeaseHoldsItsConnectionUntilItsEnd() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            let lease = try await pool.lease(label: "cursor")
            #expect(try await lease.connection.one(Int.self, "SELECT 1") == 1)
            #expect(pool.statistics.counts.borrowed == 1)
            lease.end()
            lease.end()
            #expect(pool.statistics.counts.idle == 1 && pool.statistics.leasesAbandoned == 0)
            let error = try await failure { _ = try await lease.connection.execute("SELECT 1") }
            #expect(error.code == .connectionClosed)
        }
    }

    @Test func aGreenletThatEndsReturnsWhatItHoldsAndTheLogSaysSo() async throws {
        let log = CapturedLog()
        try await Database().withPool(.init(label: "films", maximum: 2, logger: log.logger)) {
            (pool, _) async throws in
            var kept: [PostgresLease] = []
            try await Greenlet.spawn { () async throws in
                kept.append(try await pool.lease(label: "async"))
                _ = try await kept[0].connection.execute("BEGIN")
            }.get()
            try await Greenlet.spawn { () throws in kept.append(try pool.lease(label: "sync")) }.get()
            #expect(try await eventually { pool.statistics.counts.idle == 2 })
            #expect(pool.statistics.leasesAbandoned == 2 && pool.statistics.rolledBackOnReturn == 1)
            for label in ["async", "sync"] {
                #expect(
                    log.messages.contains {
                        $0.contains("films") && $0.contains("\"\(label)\"") && $0.contains("has ended")
                            && $0.contains("PostgresLeaseTests.swift:")
                    }, "\(log.messages)")
            }
            // What is left of them does nothing.
            for lease in kept { lease.end() }
            kept = []
            #expect(pool.statistics.counts.idle == 2)
        }
    }

    @Test func aKilledGreenletReturnsItToo() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            var kept: PostgresLease?
            let greenlet = Greenlet.spawn { () async throws in
                kept = try await pool.lease()
                try await Greenlet.sleep(for: .seconds(50))
            }
            #expect(try await eventually { kept != nil })
            try await greenlet.kill()
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            #expect(pool.statistics.leasesAbandoned == 1)
            kept = nil
        }
    }

    @Test func aDroppedLeaseIsReturnedAndTheLogSaysSo() async throws {
        let log = CapturedLog()
        try await Database().withPool(.init(maximum: 1, logger: log.logger)) { (pool, _) async throws in
            do { _ = try await pool.lease(label: "forgotten").connection.processID }
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            #expect(log.messages.contains { $0.contains("\"forgotten\"") && $0.contains("was dropped") })
        }
    }
}
