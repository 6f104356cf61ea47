import ConnectionPools
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct PoolReportTests {
    @Test func whoeverWaitsInVainIsToldWhoHoldsLongest() async throws {
        try await Database().withPool(.init(label: "films", maximum: 4)) { (pool, _) async throws in
            var isOver = false
            let holders = ["first", "second", "third", "fourth"].map { name in
                Greenlet.spawn(name: "worker-\(name)") { () async throws in
                    try await pool.withConnection(label: name) { _ in
                        while !isOver { await Greenlet.yield() }
                    }
                }
            }
            #expect(try await eventually { pool.statistics.counts.borrowed == 4 })
            let error = try await failure {
                try await pool.withConnection(timeout: .milliseconds(50)) { _ in }
            }
            isOver = true
            for holder in holders { try await holder.get() }
            let text = error.message
            #expect(error.code == .acquireTimedOut)
            #expect(
                text.contains("\"films\"")
                    && text.contains("maximum 4, 4 borrowed, 0 idle, 0 opening, 0 closing"))
            #expect(text.components(of: "s by \"") == 3, "\(text)")
            #expect(text.contains("greenlet \"worker-") && text.contains("PoolReportTests.swift:"), "\(text)")
        }
    }

    @Test func aConnectionHeldForLongIsLoggedOnceWithItsHolderAndStatement() async throws {
        let log = CapturedLog()
        var options = PostgresPoolOptions(label: "films", maximum: 1, logger: log.logger)
        options.leakThreshold = .milliseconds(20)
        try await Database().withPool(options) { (pool, _) async throws in
            try await pool.withConnection(label: "report") { connection in
                _ = try await connection.execute("SELECT \("secret")::text AS told")
                #expect(try await eventually { pool.statistics.leaks == 1 })
                try await reactor.sleep(for: .milliseconds(100))
            }
            #expect(pool.statistics.leaks == 1)
            let told = log.messages.filter { $0.contains("has been held for") }
            #expect(told.count == 1)
            let text = told.first ?? ""
            for part in ["films", "\"report\"", "PoolReportTests.swift:", "SELECT $1::text AS told"] {
                #expect(text.contains(part), "\(text)")
            }
            #expect(!text.contains("secret"))
        }
    }

    /// Whatever form it is begun in, and whether it is told what it is for.
    @Test func aTransactionHeldForLongIsLoggedWithItsPlace() async throws {
        let log = CapturedLog()
        var options = PostgresPoolOptions(label: "films", maximum: 1, logger: log.logger)
        options.leakThreshold = .milliseconds(20)
        try await Database().withPool(options) { (pool, _) async throws in
            let isTold = try await pool.transaction(label: "report") { _ in
                try await eventually { pool.statistics.leaks == 1 }
            }
            #expect(isTold)
            let second = Greenlet.spawn { () throws in
                try pool.transaction { tx in _ = try tx.execute("SELECT pg_sleep(0.2)") }
            }
            try await second.get()
            let third = pool.runInteraction { tx in try await tx.execute("SELECT pg_sleep(0.2)") }
            _ = try await third.value
            let told = log.messages.filter { $0.contains("has been held for") }
            #expect(told.count == 3)
            for (text, label) in zip(told, ["\"report\"", "\"transaction\"", "\"transaction\""]) {
                #expect(text.contains(label) && text.contains("PoolReportTests.swift:"), "\(text)")
            }
        }
    }

    @Test func aTransactionMayWaitForItsConnectionForATimeOfItsOwn() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.withConnection { _ in
                let late = Greenlet.spawn { () async throws in
                    try await failure {
                        try await pool.transaction(acquireTimeout: .milliseconds(20)) { _ in }
                    }
                }
                let error = try await late.get()
                #expect(error.code == .acquireTimedOut)
            }
        }
    }

    @Test func statisticsAndEventsAgree() async throws {
        @ReactorActor final class Seen {
            var acquired = 0, released = 0, connected = 0, failed = 0
            var evicted: [PostgresCloseReason] = []
            var labels: Set<String> = []
        }
        let seen = Seen()
        var options = PostgresPoolOptions(maximum: 2)
        options.events = { event in
            switch event {
            case .acquired(let label, let waited):
                seen.acquired += 1
                seen.labels.insert(label)
                #expect(waited >= .zero)
            case .released(_, let held):
                seen.released += 1
                #expect(held >= .zero)
            case .connected: seen.connected += 1
            case .connectFailed: seen.failed += 1
            case .evicted(let reason, let age):
                seen.evicted.append(reason)
                #expect(age >= .zero)
            }
        }
        try await Database().withPool(options) { (pool, _) async throws in
            let users = (0..<20).map { _ in
                Greenlet.spawn { () async throws in
                    try await pool.withConnection(label: "user") {
                        _ = try await $0.execute("SELECT pg_sleep(0.005)")
                    }
                }
            }
            for user in users { try await user.get() }
            _ = try? await pool.query("SELECT pg_sleep(10)", timeout: .milliseconds(10))
            try await pool.withConnection { await $0.close() }
            let numbers = pool.statistics
            #expect(numbers.acquired == 22 && seen.acquired == 22 && seen.released == 22)
            #expect(numbers.connectsSucceeded == seen.connected && seen.failed == 0)
            #expect(numbers.statements == 21 && numbers.statementCancels == 1)
            #expect(numbers.waits.count == 20 && numbers.wait99 >= numbers.medianWait)
            #expect(numbers.medianWait > .milliseconds(5) && numbers.connectTime > .zero)
            #expect(numbers.evictions == [.closedByBorrower: 1] && seen.evicted == [.closedByBorrower])
            #expect(seen.labels == ["user", "query", ""])
        }
    }
}

extension String {
    /// How often a text occurs in it.
    fileprivate func components(of text: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
