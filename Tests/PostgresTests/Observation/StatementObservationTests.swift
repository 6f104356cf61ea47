import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct StatementObservationTests {
    @ReactorActor final class Seen {
        var events: [PostgresStatementEvent] = []
        var texts: [String] { events.map(\.text) }
    }

    func withObservedPool(
        _ mode: PostgresPoolMode = .exclusive,
        _ body: @escaping @Sendable @ReactorActor (PostgresPool, Seen) async throws -> Void
    ) async throws {
        let database = try Database()
        try await withReactor { (_) async throws in
            let seen = Seen()
            var configuration = database.configuration
            configuration.onStatement = { seen.events.append($0) }
            let pool = PostgresPool(configuration, .init(maximum: 2, mode: mode))
            let result: Result<Void, any Error>
            do { result = .success(try await body(pool, seen)) } catch { result = .failure(error) }
            await pool.close(grace: .seconds(1))
            try result.get()
        }
    }

    @Test(arguments: [PostgresPoolMode.exclusive, .multiplexed(connections: 1)])
    func eachStatementIsToldOfOnceWithoutItsValues(_ mode: PostgresPoolMode) async throws {
        try await withObservedPool(mode) { (pool, seen) async throws in
            for _ in 0..<4 {
                _ = try await pool.query("SELECT n, \("secret") FROM generate_series(1, \(3)) AS n")
            }
            #expect(seen.texts == Array(repeating: "SELECT n, $1 FROM generate_series(1, $2) AS n", count: 4))
            #expect(seen.events.allSatisfy { $0.rows == 3 && $0.error == nil && $0.duration > .zero })
        }
    }

    @Test func failuresTransactionsAndPipelinesAreToldOf() async throws {
        try await withObservedPool { (pool, seen) async throws in
            _ = try await failure { _ = try await pool.query("SELECT 1/0") }
            #expect((seen.events.last?.error as? PostgresError)?.sqlState == .divisionByZero)
            #expect(seen.events.last?.rows == nil && seen.events.last?.processID != nil)
            seen.events = []
            try await pool.transaction { tx in _ = try await tx.execute("SELECT 1") }
            #expect(seen.texts == ["BEGIN", "SELECT 1", "COMMIT"])
            seen.events = []
            _ = try await pool.pipeline { ($0.one(Int.self, "SELECT 1"), $0.one(Int.self, "SELECT 2")) }
            #expect(seen.texts == ["SELECT 1", "SELECT 2"])
        }
    }

    @Test func streamsAndCopiesAreToldOfWhenTheyAreOver() async throws {
        try await withObservedPool { (pool, seen) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            seen.events = []
            #expect(try await pool.copyIn(into: "t", rows: [Int32(1), 2, 3]) == 3)
            for try await row in pool.stream("SELECT n FROM t WHERE n < \(Int32(3))") {
                #expect(try row.decode(Int32.self, at: 0) < 3)
            }
            for try await _ in pool.copyOut(table: "t") {}
            #expect(seen.events.map(\.rows) == [3, 2, 3] && seen.events.allSatisfy { $0.error == nil })
            #expect(
                seen.texts[0].hasPrefix("COPY t FROM STDIN") && seen.texts[2].hasPrefix("COPY t TO STDOUT"))
            #expect(seen.texts[1] == "SELECT n FROM t WHERE n < $1")
            seen.events = []
            for try await _ in pool.stream("SELECT generate_series(1, 100000000)") { break }
            #expect(try await eventually { seen.events.count == 1 })
            #expect(seen.events[0].error != nil && seen.events[0].rows == nil)
            _ = try await failure { for try await _ in pool.stream("SELECT 1/0") {} }
            #expect(seen.events.count == 2)
            #expect((seen.events[1].error as? PostgresError)?.sqlState == .divisionByZero)
        }
    }

    @Test func cursorsAreToldOfAtEachRoundTripUnderTheirStatement() async throws {
        try await withObservedPool { (pool, seen) async throws in
            let numbers: SQL = "SELECT n FROM generate_series(1, \(5)) AS n"
            try await pool.transaction { (tx) async throws in
                for try await _ in tx.cursor(numbers, fetch: 2) {}
            }
            #expect(seen.texts == ["BEGIN"] + Array(repeating: numbers.text, count: 4) + ["COMMIT"])
            #expect(seen.events.dropFirst().dropLast().map(\.rows) == [0, 2, 2, 1])
            seen.events = []
            _ = try await failure {
                try await pool.transaction { (tx) async throws in
                    for try await _ in tx.cursor("SELECT 1 / (n - 2) FROM generate_series(1, 2) AS n") {}
                }
            }
            #expect((seen.events[2].error as? PostgresError)?.sqlState == .divisionByZero)
        }
    }

    @Test func aSlowStatementIsOneLineOfTheLogAndAQuickOneNone() async throws {
        let database = try Database()
        let log = CapturedLog()
        let clock = ManualClock()
        try await withReactor(clock: clock) { (_) async throws in
            var configuration = database.configuration
            configuration.slowStatementThreshold = .milliseconds(200)
            configuration.logger = log.logger
            let connection = try await PostgresConnection.connect(configuration)
            try await connection.execute("SELECT 1")
            let slow = Greenlet.spawn {
                try await connection.execute("SELECT \("secret"),\n  pg_sleep(0.25)")
            }
            for _ in 0..<3 { await Greenlet.yield() }
            clock.advance(by: .milliseconds(250))
            _ = try await slow.get()
            await connection.close()
        }
        let slow = log.messages.filter { $0.contains("slow statement") }
        #expect(slow.count == 1 && slow[0].hasPrefix("warning: slow statement: "))
        #expect(slow[0].contains("pg_sleep(0.25)"))
        #expect(!slow[0].contains("secret") && !slow[0].contains("\n"))
    }
}
