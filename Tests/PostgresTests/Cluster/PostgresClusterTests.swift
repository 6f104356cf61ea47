import Glibc
import Greenlets
import LocalPostgres
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// A primary and a standby that really replicates.
@Suite struct PostgresClusterTests {
    @ReactorActor final class Servers {
        let primary: LocalCluster
        let standby: LocalCluster
        let cluster: PostgresCluster

        init(_ primary: LocalCluster, _ standby: LocalCluster, _ options: PostgresClusterOptions) throws {
            self.primary = primary
            self.standby = standby
            cluster = PostgresCluster(
                primary: PostgresPool(
                    try PostgresConfiguration(primary.url), .init(label: "primary", maximum: 4)),
                replicas: [
                    PostgresPool(try PostgresConfiguration(standby.url), .init(label: "standby", maximum: 4))
                ], options)
        }

        /// Which server `body`'s pool is of.
        func isStandby(_ pool: PostgresPool) async throws -> Bool {
            try await pool.one("SELECT pg_is_in_recovery()")
        }

        /// Waits until the standby has what the primary has.
        func catchUp() async throws {
            let position: String = try await cluster.primary.one("SELECT pg_current_wal_insert_lsn()::text")
            let replica = try await PostgresConnection.connect(PostgresConfiguration(standby.url))
            #expect(
                try await eventually {
                    try await replica.one("SELECT pg_last_wal_replay_lsn() >= \(position)::pg_lsn")
                })
            await replica.close()
        }
    }

    func withServers(
        _ options: PostgresClusterOptions = .init(pinning: .zero, checkInterval: .milliseconds(20)),
        _ body: @escaping @Sendable @ReactorActor (Servers) async throws -> Void
    ) async throws {
        let primary = try LocalCluster.temporary(settings: [
            "wal_level": "replica", "max_wal_senders": "4", "max_connections": "30",
        ])
        defer { primary.stop(mode: .immediate) }
        let standby = try LocalCluster.standby(of: primary)
        defer { standby.stop(mode: .immediate) }
        try await withReactor { (_) async throws in
            let servers = try Servers(primary, standby, options)
            let result: Result<Void, any Error>
            do { result = .success(try await body(servers)) } catch { result = .failure(error) }
            await servers.cluster.close(grace: .seconds(1))
            try result.get()
        }
    }

    @Test func readsGoToTheReplicaAndWritesToThePrimary() async throws {
        try await withServers { (servers) async throws in
            let cluster = servers.cluster
            // It is read from once a look at it was answered in time, which on a busy machine not every one is.
            #expect(try await eventually { try await cluster.read { try await servers.isStandby($0) } })
            #expect(try await !cluster.write { try await servers.isStandby($0) })
            try await cluster.write { db in _ = try await db.execute("CREATE TABLE t AS SELECT 5 AS n") }
            try await servers.catchUp()
            #expect(try await cluster.read { try await $0.one(Int.self, "SELECT n FROM t") } == 5)
            #expect(
                try await eventually {
                    try await Greenlet.spawn {
                        try cluster.read { try $0.one(Bool.self, "SELECT pg_is_in_recovery()") }
                    }.get()
                })
        }
    }

    @Test func whoeverHasWrittenReadsFromThePrimaryForAWhileAndNobodyElseDoes() async throws {
        try await withServers(.init(pinning: .seconds(60), checkInterval: .milliseconds(20))) {
            (servers) async throws in
            let cluster = servers.cluster
            let writer = Greenlet.spawn { () async throws in
                try await cluster.write { db in _ = try await db.execute("CREATE TABLE t (n int)") }
                return try await cluster.read { try await servers.isStandby($0) }
            }
            #expect(try await !writer.get())
            #expect(
                try await eventually {
                    try await Greenlet.spawn { () async throws in
                        try await cluster.read { try await servers.isStandby($0) }
                    }.get()
                })
        }
    }

    @Test func aWriteOnAReplicaIsRunOnThePrimary() async throws {
        try await withServers { (servers) async throws in
            let count = try await servers.cluster.read { try await $0.execute("CREATE TABLE t (n int)") }
            #expect(count == 0)
            #expect(try await servers.cluster.primary.one("SELECT to_regclass('t') IS NOT NULL"))
        }
    }

    @Test func aReplicaThatIsBehindIsNotReadFromUntilItHasCaughtUp() async throws {
        try await withServers(
            .init(maximumLag: .milliseconds(300), pinning: .zero, checkInterval: .milliseconds(20))
        ) { (servers) async throws in
            let cluster = servers.cluster
            let replica = try await PostgresConnection.connect(PostgresConfiguration(servers.standby.url))
            try await replica.script("SELECT pg_wal_replay_pause()")
            try await cluster.write { db in _ = try await db.execute("CREATE TABLE t (n int)") }
            var lag = Duration.zero
            #expect(
                try await eventually {
                    _ = try await cluster.read { try await servers.isStandby($0) }
                    guard case .stale(let found) = cluster.replicaStates[0] else { return false }
                    lag = found
                    return true
                })
            #expect(lag > .milliseconds(300))
            #expect(try await !cluster.read { try await servers.isStandby($0) })
            try await replica.script("SELECT pg_wal_replay_resume()")
            #expect(try await eventually { try await cluster.read { try await servers.isStandby($0) } })
            await replica.close()
        }
    }

    /// Its receiver waits for more, and has replayed all that it got.
    @Test func aReplicaWhoseLinkIsFrozenIsNotReadFrom() async throws {
        try await withServers(
            .init(maximumLag: .milliseconds(300), pinning: .zero, checkInterval: .milliseconds(20))
        ) { (servers) async throws in
            let cluster = servers.cluster
            try await servers.catchUp()
            #expect(try await eventually { try await cluster.read { try await servers.isStandby($0) } })
            let sender: Int32 = try await cluster.primary.one("SELECT pid FROM pg_stat_replication")
            #expect(kill(sender, SIGSTOP) == 0)
            defer { kill(sender, SIGCONT) }
            try await cluster.write { db in _ = try await db.execute("CREATE TABLE t (n int)") }
            try await reactor.sleep(for: .milliseconds(300))
            // Also the first read after a pause: what is known is too old to go by.
            for _ in 0..<20 {
                #expect(
                    try await cluster.read {
                        try await $0.one(Bool.self, "SELECT to_regclass('t') IS NOT NULL")
                    })
            }
            guard case .stale(let lag) = cluster.replicaStates[0] else {
                Issue.record("\(cluster.replicaStates[0])")
                return
            }
            #expect(lag > .milliseconds(300))
            kill(sender, SIGCONT)
            #expect(try await eventually { try await cluster.read { try await servers.isStandby($0) } })
        }
    }

    /// One that the primary wrote to for the first time in an hour is behind by a moment, not by an hour.
    @Test func aReplicaIsBehindByNoMoreThanTheTimeSinceItHadCaughtUp() async throws {
        try await withServers(
            .init(maximumLag: .seconds(3600), pinning: .zero, checkInterval: .milliseconds(20))
        ) { (servers) async throws in
            let cluster = servers.cluster
            try await servers.catchUp()
            try await reactor.sleep(for: .milliseconds(500))
            let start = reactor.now
            #expect(
                try await eventually {
                    _ = try await cluster.read { try await servers.isStandby($0) }
                    guard case .current(.zero) = cluster.replicaStates[0] else { return false }
                    return true
                })
            let replica = try await PostgresConnection.connect(PostgresConfiguration(servers.standby.url))
            try await replica.script("SELECT pg_wal_replay_pause()")
            try await cluster.write { db in _ = try await db.execute("CREATE TABLE t (n int)") }
            var lag = Duration.zero
            #expect(
                try await eventually {
                    _ = try await cluster.read { try await servers.isStandby($0) }
                    if case .current(let found) = cluster.replicaStates[0] { lag = found }
                    return lag > .zero
                })
            #expect(lag <= start.duration(to: reactor.now))
            try await replica.script("SELECT pg_wal_replay_resume()")
            await replica.close()
        }
    }

    @Test func aReplicaThatIsDownCostsNobodyAnErrorAndIsUsedAgainWhenItIsBack() async throws {
        try await withServers { (servers) async throws in
            let (cluster, standby) = (servers.cluster, servers.standby)
            #expect(try await eventually { try await cluster.read { try await servers.isStandby($0) } })
            try await reactor.deferToThread { _ = kill(try #require(standby.serverProcessID), SIGKILL) }.value
            // What it left behind goes on for a moment.
            #expect(try await eventually { try await !cluster.read { try await servers.isStandby($0) } })
            for _ in 0..<10 { #expect(try await !cluster.read { try await servers.isStandby($0) }) }
            try await reactor.deferToThread { try standby.restart(mode: .immediate) }.value
            #expect(
                try await eventually(within: .seconds(30)) {
                    try await cluster.read { try await servers.isStandby($0) }
                })
        }
    }

    @Test func aReadInsideATransactionOfThePrimaryIsPartOfIt() async throws {
        try await withServers { (servers) async throws in
            let cluster = servers.cluster
            try await cluster.write { db in
                try await db.transaction { tx in
                    try await tx.execute("CREATE TABLE t AS SELECT 1 AS n")
                    #expect(try await cluster.read { try await $0.one(Int.self, "SELECT n FROM t") } == 1)
                }
            }
        }
    }

    /// The old primary has become read-only; the configuration names both servers.
    @Test func aPromotedStandbyBecomesThePrimary() async throws {
        try await withServers { (servers) async throws in
            var both = try PostgresConfiguration(servers.primary.url)
            both["host"] = "\(servers.primary.socketDirectory),\(servers.standby.socketDirectory)"
            both["target_session_attrs"] = "read-write"
            let cluster = PostgresCluster(
                primary: PostgresPool(both, .init(label: "both", maximum: 2)), replicas: [])
            _ = try await cluster.write { try await $0.execute("CREATE TABLE t (n int)") }
            try await servers.catchUp()

            let old = try await PostgresConnection.connect(PostgresConfiguration(servers.primary.url))
            try await old.script("ALTER SYSTEM SET default_transaction_read_only = on")
            try await old.script("SELECT pg_reload_conf()")
            await old.close()
            let standby = try await PostgresConnection.connect(PostgresConfiguration(servers.standby.url))
            #expect(try await standby.one("SELECT pg_promote()"))
            await standby.close()

            #expect(
                try await eventually {
                    do {
                        _ = try await cluster.write { try await $0.execute("INSERT INTO t VALUES (1)") }
                        return true
                    } catch let error as PostgresError where error.sqlState == .readOnlySQLTransaction {
                        return false
                    }
                })
            let pids = try await cluster.write {
                try await $0.one(String.self, "SELECT current_setting('data_directory')")
            }
            #expect(pids.hasPrefix(servers.standby.directory))
            await cluster.close()
        }
    }
}
