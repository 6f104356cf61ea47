import ConnectionPools
import Glibc
import Greenlets
import LocalPostgres
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// What servers and networks do to a pool under load. After each: no write that was reported is lost or made twice, the pool
/// has its capacity, the first borrower is served soon after the server accepts, and nothing is left.
///
/// `CHAOS_SECONDS` gives each fault that long, `CHAOS_SEED` repeats a run; see `Scripts/chaos`.
@Suite(.serialized) struct ServerChaosTests {
    /// Length of each fault's reign.
    static let length = Duration.milliseconds(
        Int((getenv("CHAOS_SECONDS").flatMap { Double(String(cString: $0)) } ?? 1) * 1000))
    /// Whether `Scripts/chaos` runs it, on a machine that does nothing else.
    static let isLong = getenv("CHAOS_SECONDS") != nil
    static let seed =
        getenv("CHAOS_SEED").flatMap { UInt64(String(cString: $0)) } ?? .random(in: .min ... .max)

    static let maximum = 8

    /// A server of its own, a pool that reaches it through a proxy, and twenty writers while `fault` does its worst.
    func underLoad(
        _ name: String,
        _ fault:
            @escaping @Sendable @ReactorActor (LocalCluster, ChaosProxy, inout SeededGenerator) async throws
            -> Void
    ) async throws {
        print("chaos \(name): seed \(Self.seed)")
        // What is committed has to outlast an immediate stop, which throw-away clusters do not promise.
        let cluster = try LocalCluster.temporary(settings: [
            "max_connections": "20", "synchronous_commit": "on",
        ])
        defer { cluster.stop(mode: .immediate) }
        try await withReactor(timeLimit: .seconds(60) + Self.length * 4) { (reactor) async throws in
            let proxy = try ChaosProxy(before: cluster.socketDirectory)
            var configuration = try PostgresConfiguration(cluster.url)
            let direct = try await PostgresConnection.connect(configuration)
            try await direct.script("CREATE TABLE entry (number int)")
            await direct.close()
            configuration["host"] = proxy.directory
            configuration.cancelGrace = .milliseconds(500)
            configuration.connectTimeout = .seconds(2)
            let pool = PostgresPool(
                configuration, .init(label: name, maximum: Self.maximum, acquireTimeout: .seconds(30)))
            let ledger = ChaosLedger()
            var isOver = false
            let writers = (0..<20).map { writer in
                Greenlet.spawn { () async throws in
                    var random = SeededGenerator(seed: Self.seed &+ UInt64(writer))
                    await ledger.write(pool, &random) { isOver }
                }
            }
            var random = SeededGenerator(seed: Self.seed)
            try await fault(cluster, proxy, &random)
            proxy.fault = .none

            // The server accepts: so does the pool.
            let start = reactor.now
            while true {
                do {
                    let probe = try await PostgresConnection.connect(PostgresConfiguration(cluster.url))
                    await probe.close()
                    break
                } catch let error as PostgresError where error.code == .connectFailed {
                    #expect(start.duration(to: reactor.now) < .seconds(30), "the server does not come back")
                    try await reactor.sleep(for: .milliseconds(10))
                }
            }
            let isThere = reactor.now
            _ = try await pool.one(Int.self, "SELECT 1")
            let waited = isThere.duration(to: reactor.now)
            print("chaos \(name): the first borrower waited for \(waited)")
            // Within a second by the pool's own pauses, as `PoolRecoveryTests` shows; a loaded machine adds to it.
            let bound = Duration.seconds(Self.isLong ? 1 : 10)
            #expect(waited < bound, "the first borrower waited for \(waited)")
            // On a busy machine there may have been time for little but the fault.
            while ledger.written.count <= 20 { try await reactor.sleep(for: .milliseconds(10)) }
            isOver = true
            for writer in writers { try await writer.get() }
            #expect(ledger.written.count > 20)

            try await ledger.check(pool)
            try await expectCapacity(of: pool)
            await pool.close(grace: .seconds(2))
            try await proxy.close()
        }
    }

    /// The pool lends its maximum at once, and has nothing else.
    @ReactorActor
    func expectCapacity(of pool: PostgresPool) async throws {
        let holders = Holders(Self.maximum, of: pool)
        #expect(try await eventually { pool.statistics.counts.borrowed == Self.maximum })
        try await holders.release()
        let counts = pool.statistics.counts
        #expect(counts.borrowed == 0 && counts.waiting == 0 && counts.total <= Self.maximum)
    }

    @Test func backendsAreKilled() async throws {
        try await underLoad("killed backends") { (cluster, _, random) async throws in
            let killer = try await PostgresConnection.connect(PostgresConfiguration(cluster.url))
            let end = reactor.now.advanced(by: Self.length)
            while reactor.now < end {
                try await reactor.sleep(for: .milliseconds(Int.random(in: 10..<100, using: &random)))
                try await killer.execute(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 3
                    """)
            }
            await killer.close()
        }
    }

    @Test(arguments: [LocalCluster.StopMode.fast, .immediate])
    func theServerIsRestarted(_ mode: LocalCluster.StopMode) async throws {
        try await underLoad("restart \(mode.rawValue)") { (cluster, _, _) async throws in
            try await reactor.sleep(for: Self.length / 2)
            try await reactor.deferToThread { try cluster.restart(mode: mode) }.value
        }
    }

    /// A server that dies meanwhile cannot make its socket: it stays away until there is room.
    @Test(.enabled(if: FullDisk.isPossible, "the right to mount is missing"))
    func theDiskOfTheSocketDirectoryIsFull() async throws {
        try await underLoad("full disk") { (cluster, _, _) async throws in
            try await reactor.sleep(for: Self.length / 2)
            try await reactor.deferToThread {
                let disk = try #require(FullDisk(over: cluster.socketDirectory))
                defer { disk.end() }
                let error = #expect(throws: LocalPostgresError.self) {
                    try cluster.restart(mode: .immediate)
                }
                #expect(error?.description.contains("No space left on device") == true, "\(error!)")
            }.value
            try await reactor.deferToThread { try cluster.restart(mode: .immediate) }.value
        }
    }

    /// For long enough that the pauses between connects have grown; or the network swallows what is sent meanwhile.
    @Test(arguments: [ChaosProxy.Fault.absent, .silent])
    func theServerIsAwayForAWhile(_ absence: ChaosProxy.Fault) async throws {
        try await underLoad("\(absence) server") { (_, proxy, _) async throws in
            try await reactor.sleep(for: Self.length / 2)
            proxy.fault = absence
            proxy.cut()
            try await reactor.sleep(for: Self.length * 3)
        }
    }

    @Test func aBackendIsStopped() async throws {
        try await underLoad("stopped backend") { (cluster, _, random) async throws in
            let watcher = try await PostgresConnection.connect(PostgresConfiguration(cluster.url))
            let end = reactor.now.advanced(by: Self.length)
            var stopped: [Int32] = []
            while reactor.now < end {
                let found = try await watcher.query(
                    """
                    SELECT pid FROM pg_stat_activity
                    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1
                    """)
                for row in found {
                    let pid = try row.decode(Int32.self, at: 0)
                    // A stopped backend may hold what others wait for; soon after, it goes on.
                    kill(pid, SIGSTOP)
                    stopped.append(pid)
                }
                try await reactor.sleep(for: .milliseconds(Int.random(in: 100..<400, using: &random)))
                for pid in stopped { kill(pid, SIGCONT) }
                stopped = []
            }
            await watcher.close()
        }
    }

    @Test func connectionsAreCut() async throws {
        try await underLoad("cut connections") { (_, proxy, random) async throws in
            let end = reactor.now.advanced(by: Self.length)
            while reactor.now < end {
                try await reactor.sleep(for: .milliseconds(Int.random(in: 10..<150, using: &random)))
                proxy.cut()
            }
        }
    }

    /// The reply to COMMIT never arrives: whoever waits for it must not be told that nothing took place.
    @Test func theReplyToACommitIsLost() async throws {
        try await underLoad("lost COMMIT") { (_, proxy, random) async throws in
            var seen = 0
            let every = Int.random(in: 3...7, using: &random)
            proxy.cutsAfter = { bytes in
                guard bytes.count < 32, String(decoding: bytes, as: UTF8.self).contains("COMMIT") else {
                    return false
                }
                seen += 1
                return seen % every == 0
            }
            try await reactor.sleep(for: Self.length)
            while seen < every { try await reactor.sleep(for: .milliseconds(10)) }
            proxy.cutsAfter = nil
        }
    }

    @Test func bytesComeInSlicesAndStall() async throws {
        try await underLoad("slices and stalls") { (_, proxy, random) async throws in
            let end = reactor.now.advanced(by: Self.length)
            while reactor.now < end {
                proxy.fault = .sliced
                try await reactor.sleep(for: .milliseconds(Int.random(in: 50..<200, using: &random)))
                proxy.fault = .stalled
                try await reactor.sleep(for: .milliseconds(Int.random(in: 10..<300, using: &random)))
            }
        }
    }

    /// Others take all of the server's connections: ours are refused with 53300 until they leave.
    @Test func theServersConnectionsAreUsedUp() async throws {
        try await underLoad("max_connections") { (cluster, proxy, _) async throws in
            let end = reactor.now.advanced(by: Self.length)
            while reactor.now < end {
                var hogs: [PostgresConnection] = []
                proxy.cut()
                while hogs.count < 20, reactor.now < end {
                    do {
                        hogs.append(try await PostgresConnection.connect(PostgresConfiguration(cluster.url)))
                    } catch let error as PostgresError where error.sqlState == .tooManyConnections { break }
                }
                try await reactor.sleep(for: .milliseconds(100))
                for hog in hogs { await hog.close() }
            }
        }
    }
}
