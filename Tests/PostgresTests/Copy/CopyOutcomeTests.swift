import Glibc
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Whoever copies rows in and is interrupted knows whether they are there.
@Suite struct CopyOutcomeTests {
    /// Cancelled, killed or timed out at a random moment around the end, a COPY says that it has taken place exactly when it has.
    @Test func aCopyThatIsInterruptedAroundItsEndReturnsExactlyWhenItsRowsAreThere() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("CopyOutcomeTests seed \(seed)")
        try await Database().withPool(.init(maximum: 4)) { (pool, watcher) async throws in
            try await pool.execute("CREATE TABLE t (marker int, n int)")
            var random = SeededGenerator(seed: seed)
            let ledger = Ledger()
            for round in 0..<100 {
                let lines = Int.random(in: 1...50, using: &random)
                let delays = (0..<3).map { _ in Duration.microseconds(.random(in: 0..<1500, using: &random)) }
                let markers = (0..<3).map { Int32(round * 3 + $0) }
                let greenlets = [
                    Greenlet.spawn { () async throws in
                        ledger.returned[markers[0]] = try await pool.copyIn(into: "t") { rows in
                            for line in 0..<lines { try await rows.write(markers[0], Int32(line)) }
                            cancel(after: delays[0])
                        }
                    },
                    Greenlet.spawn { () throws in
                        ledger.returned[markers[1]] = try pool.copyIn(into: "t", format: .binary) { rows in
                            for line in 0..<lines { try rows.write(markers[1], Int32(line)) }
                            cancel(after: delays[1])
                        }
                    },
                    Greenlet.spawn { () async throws in
                        do {
                            ledger.returned[markers[2]] = try await pool.copyIn(
                                into: "t", timeout: .milliseconds(1) + delays[2]
                            ) { rows in
                                for line in 0..<lines { try await rows.write(markers[2], Int32(line)) }
                            }
                        } catch let error as PostgresError where error.code == .timedOut {}
                    },
                ]
                for greenlet in greenlets { #expect(try await greenlet.join()) }
                for marker in markers {
                    let count: Int = try await pool.one("SELECT count(*) FROM t WHERE marker = \(marker)")
                    #expect(count == ledger.returned[marker] ?? 0, "marker \(marker) of \(lines) rows")
                    #expect(ledger.returned[marker] ?? lines == lines)
                }
            }
            print("CopyOutcomeTests: \(ledger.returned.count) of 300 have returned")
            #expect(pool.statistics.connectionsLost == 0 && pool.statistics.connectsSucceeded <= 4)
            #expect(try await watcher.seesAtRest(pool))
        }
    }

    /// An interruption that the server does not hear before it has committed is none.
    @Test func aCopyThatCommitsBeforeItsCancelArrivesReturnsItsRows() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, watcher) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            let ledger = Ledger()
            let copy = Greenlet.spawn { () async throws in
                ledger.returned[0] = try await pool.withConnection { (connection) async throws in
                    ledger.session = try connection.lent()
                    return try await connection.copyIn(into: "t") { rows in
                        for number in 0..<3 { try await rows.write(Int32(number)) }
                    }
                }
            }
            // The end is out. Nothing is read in this turn: the server commits meanwhile, and the cancel comes too late.
            while ledger.session?.exchange.feed?.isOutcomeAll != true { await Greenlet.yield() }
            usleep(200_000)
            copy.cancel()
            #expect(try await copy.join())
            let count: Int = try await pool.one("SELECT count(*) FROM t")
            #expect(count == ledger.returned[0] ?? 0)
        }
    }
}

/// Has the calling greenlet killed in a while.
@ReactorActor private func cancel(after delay: Duration) {
    let greenlet = AnyGreenlet.current
    _ = reactor.callLater(delay) { greenlet?.cancel() }
}

@ReactorActor private final class Ledger {
    var returned: [Int32: Int] = [:]
    var session: PostgresSession?
}
