import Greenlets
import LocalPostgres
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Where a cluster sends what: its servers are databases of one server here, which counts as a replica that is behind in nothing.
@Suite struct ClusterRoutingTests {
    let (primary, replica): (Database, Database)

    init() throws { (primary, replica) = (try Database(), try Database()) }

    /// A cluster with two replicas, or only with one that takes connections and never says a word.
    func withSilentReplica(
        alone: Bool, checkInterval: Duration,
        _ body: @escaping @Sendable @ReactorActor (PostgresCluster) async throws -> Void
    ) async throws {
        try await withReactor { [primary, replica] (_) async throws in
            let proxy = try ChaosProxy(before: "/nowhere")
            proxy.fault = .silent
            var silent = replica.configuration
            silent["host"] = proxy.directory
            let pools = [PostgresPool(silent, .init(acquireTimeout: .seconds(600)))]
            let cluster = PostgresCluster(
                primary: PostgresPool(primary.configuration),
                replicas: alone ? pools : pools + [PostgresPool(replica.configuration)],
                .init(maximumLag: .milliseconds(1), pinning: .zero, checkInterval: checkInterval))
            let result: Result<Void, any Error>
            do { result = .success(try await body(cluster)) } catch { result = .failure(error) }
            await cluster.close(grace: .zero)
            try await proxy.close()
            try result.get()
        }
    }

    static let database: SQL = "SELECT current_database()::text"

    @Test func aSilentReplicaIsNotWaitedForWhereAnotherAnswers() async throws {
        try await withSilentReplica(alone: false, checkInterval: .seconds(60)) { (cluster) async throws in
            let name = try await cluster.read { try await $0.one(String.self, Self.database) }
            #expect(name == replica.configuration.database)
            guard case .unknown = cluster.replicaStates[0] else {
                Issue.record("\(cluster.replicaStates[0])")
                return
            }
        }
    }

    @Test func aReplicaThatWasSilentIsNotWaitedForAgain() async throws {
        try await withSilentReplica(alone: true, checkInterval: .milliseconds(100)) {
            (cluster) async throws in
            // The first look at it is over when it has been silent for five intervals.
            let name = try await cluster.read { try await $0.one(String.self, Self.database) }
            #expect(name == primary.configuration.database)
            guard case .down = cluster.replicaStates[0] else {
                Issue.record("\(cluster.replicaStates[0])")
                return
            }
            #expect(
                try await eventually {
                    _ = try await cluster.read { _ in }
                    return cluster.replicas[0].isBeingAsked
                })
        }
    }

    @Test(arguments: [true, false])
    func aReaderThatIsKilledInTheFirstLookLeavesAtOnce(_ isSynchronous: Bool) async throws {
        try await withSilentReplica(alone: true, checkInterval: .seconds(60)) { (cluster) async throws in
            var hasRun = false
            let reader =
                isSynchronous
                ? Greenlet.spawn { try cluster.read { _ in hasRun = true } }
                : Greenlet.spawn { () async throws in
                    try await cluster.read { (_) async throws in hasRun = true }
                }
            #expect(try await eventually { cluster.replicas[0].isBeingAsked })
            try await reader.kill()
            #expect(!hasRun && cluster.replicas[0].isBeingAsked)
        }
    }

    func withCluster(
        _ replica: PostgresConfiguration, primary: PostgresConfiguration? = nil,
        _ body: @escaping @Sendable @ReactorActor (PostgresCluster) async throws -> Void
    ) async throws {
        try await withReactor { [own = self.primary] (_) async throws in
            let cluster = PostgresCluster(
                primary: PostgresPool(primary ?? own.configuration), replicas: [PostgresPool(replica)],
                .init(pinning: .zero, checkInterval: .seconds(60)))
            let result: Result<Void, any Error>
            do { result = .success(try await body(cluster)) } catch { result = .failure(error) }
            await cluster.close(grace: .seconds(1))
            try result.get()
        }
    }

    @Test func whatIsReadInTheBodyOfAWriteIsReadFromThePrimary() async throws {
        try await withCluster(replica.configuration) { (cluster) async throws in
            try await Greenlet.spawn { () async throws in
                let outside = try await cluster.read { try await $0.one(String.self, Self.database) }
                #expect(outside == replica.configuration.database)
                try await cluster.write { _ in
                    // One that ends inside leaves the other under way.
                    for _ in 1...2 {
                        let inside = try await cluster.read { try await $0.one(String.self, Self.database) }
                        #expect(inside == primary.configuration.database)
                        try await cluster.write { _ in }
                    }
                }
                let after = try await cluster.read { try await $0.one(String.self, Self.database) }
                #expect(after == replica.configuration.database)
            }.get()
        }
    }

    /// The transaction says only that it was rolled back, and why.
    @Test func whatAReplicaRefusesBehindASwallowedErrorIsRunOnThePrimaryToo() async throws {
        var readOnly = replica.configuration
        readOnly.serverSettings = ["default_transaction_read_only": "on"]
        try await withCluster(readOnly) { (cluster) async throws in
            let names = try await cluster.read { db in
                try await db.transaction { tx in
                    _ = try? await tx.execute("CREATE TABLE t (n int)")
                    return try? await tx.one(String.self, Self.database)
                }
            }
            #expect(names == primary.configuration.database)
        }
        try await withCluster(replica.configuration, primary: readOnly) { (cluster) async throws in
            let error = try await failure {
                try await cluster.write { db in
                    try await db.transaction { tx in _ = try? await tx.execute("CREATE TABLE t (n int)") }
                }
            }
            #expect(error.code == .transactionRolledBack)
            // It is no primary: the next connection may find the one that is.
            #expect(try await eventually { cluster.primary.statistics.evictions[.recycled] == 1 })
        }
    }
}
