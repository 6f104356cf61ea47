import Dispatch
import Glibc
import Greenlets
import LocalPostgres
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// A cancel request goes out whatever else the process does, and holds up nothing else.
@Suite struct CancelRequestTests {
    @Test func aKillReachesTheServerWhileAllOtherThreadsAreBlocked() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            let process: Int32 = try await pool.one("SELECT pg_backend_pid()")
            let gate = Gate()
            let threads = reactor.threadPool
            for _ in 0..<(threads.limit * 2) { try threads.submit { gate.wait() } }
            defer { gate.open() }
            let sleeper = Greenlet.spawn { try await pool.execute("SELECT pg_sleep(3600)") }
            #expect(try await eventually { try await watcher.active() == 1 })
            try await sleeper.kill()
            await #expect(throws: GreenletExit.self) { try await sleeper.get() }
            #expect(try await watcher.seesAtRest(pool))
            #expect(threads.statistics.working == threads.limit)
            #expect(try await pool.one(Int32.self, "SELECT pg_backend_pid()") == process)
            #expect(pool.statistics.connectionsLost == 0)
        }
    }

    /// A postmaster that stands still takes connections and never answers on them.
    @Test func requestsThatGetNoAnswerHoldUpNobodyElse() async throws {
        let cluster = try LocalCluster.temporary()
        defer { cluster.stop(mode: .immediate) }
        var stuck = try Database(cluster)
        stuck.configuration.cancelGrace = .milliseconds(200)
        let postmaster = try #require(cluster.serverProcessID)
        let other = try Database()
        try await withReactor { [stuck] (reactor) async throws in
            let pool = PostgresPool(stuck.configuration, .init(maximum: 16))
            let watcher = try await Watcher(stuck.configuration)
            let sleepers = (0..<16).map { _ in
                Greenlet.spawn { () async throws in
                    try await failure { try await pool.execute("SELECT pg_sleep(3600)") }
                }
            }
            #expect(try await eventually { try await watcher.active() == 16 })
            let elsewhere = PostgresPool(other.configuration, .init(maximum: 1))
            let process: Int32 = try await elsewhere.one("SELECT pg_backend_pid()")

            #expect(kill(postmaster, SIGSTOP) == 0)
            for sleeper in sleepers { sleeper.cancel() }
            for sleeper in sleepers {
                let error = try await sleeper.get()
                #expect(error.code == .connectionLost && error.isCancellation)
            }
            // Files and names have their threads, and another server its cancels.
            #expect(try await reactor.deferToThread { 7 }.value == 7)
            let late = try await failure {
                _ = try await elsewhere.query("SELECT pg_sleep(3600)", timeout: .milliseconds(20))
            }
            #expect(late.code == .timedOut)
            #expect(try await elsewhere.one(Int32.self, "SELECT pg_backend_pid()") == process)
            #expect(kill(postmaster, SIGCONT) == 0)
            await elsewhere.close()
            await pool.close()
            await watcher.connection.close()
            #expect(try await eventually { pool.statistics.counts.total == 0 })
        }
    }

    @Test func aRequestThatHasNotGoneOutWhenItsStatementEndsNeverDoes() async throws {
        try await Database().withConnection { (connection) async throws in
            let gate = Gate()
            let session = try connection.lent()
            try session.cancelThreads.submit { gate.wait() }
            defer { gate.open() }
            let sleeper = Greenlet.spawn {
                try await connection.one(Int.self, "SELECT 1 FROM pg_sleep(0.2)")
            }
            await Greenlet.yield()
            sleeper.cancel()
            // Done before anybody asked the server to end it.
            #expect(try await sleeper.get() == 1)
            #expect(session.cancelThreads.queuedCount == 0 && !session.exchange.isCancelInFlight)
            #expect(try await connection.one(Int.self, "SELECT 2") == 2)
        }
    }

    /// It could hit the next statement: so there is none, but what the last one came to is known.
    @Test func aRequestThatIsStuckWhenItsStatementEndsCostsTheConnectionAndNotTheResult() async throws {
        var database = try Database()
        database.configuration.cancelGrace = .milliseconds(500)
        try await database.withConnection { (connection) async throws in
            let session = try connection.lent()
            let gate = Gate()
            defer { gate.open() }
            let sleeper = Greenlet.spawn {
                try await connection.one(Int.self, "SELECT 1 FROM pg_sleep(0.1)")
            }
            await Greenlet.yield()
            // As if a thread had begun to send it.
            session.exchange.interruption = .cancelled
            session.exchange.isCancelInFlight = true
            session.armGrace(session.exchange.number)
            #expect(try await sleeper.get() == 1)
            #expect(!connection.isUsable)
            let error = try await failure { try await connection.execute("SELECT 2") }
            #expect(error.code == .connectionLost && error.message.contains("could hit another"))
        }
    }
}

/// Holds threads until it is opened.
private final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    /// Blocks the calling thread.
    func wait() {
        semaphore.wait()
        semaphore.signal()
    }

    func open() { semaphore.signal() }
}
