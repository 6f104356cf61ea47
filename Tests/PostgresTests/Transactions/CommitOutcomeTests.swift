import Greenlets
import LocalPostgres
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// A COMMIT on a network that is silently cut holds nobody for longer than the grace, once he is to end.
@Suite struct CommitOutcomeTests {
    enum End: CaseIterable {
        case kill
        case killOfSynchronousBody
        case closeOfThePool
    }

    /// A pool of one connection whose bytes stop, either way, when the body of a transaction in `committer` has run.
    private func whileCommitting(
        grace: Duration, isSynchronous: Bool = false,
        _ body:
            @escaping @Sendable @ReactorActor (PostgresPool, ChaosProxy, Greenlet<PostgresError?>)
            async throws
            -> Void
    ) async throws {
        let cluster = try LocalCluster.shared()
        var configuration = try Database(cluster).configuration
        configuration.cancelGrace = grace
        try await withReactor { [configuration] (_) async throws in
            let proxy = try ChaosProxy(before: cluster.socketDirectory)
            var stalling = configuration
            stalling["host"] = proxy.directory
            let pool = PostgresPool(stalling, .init(maximum: 1))
            try await pool.execute("CREATE TABLE t (n int)")
            let committer =
                isSynchronous
                ? Greenlet.spawn { () throws -> PostgresError? in
                    do {
                        try pool.transaction { tx in
                            try tx.execute("INSERT INTO t VALUES (1)")
                            proxy.fault = .stalled
                        }
                    } catch let error as PostgresError { return error }
                    return nil
                }
                : Greenlet.spawn { () async throws -> PostgresError? in
                    do {
                        try await pool.transaction { tx in
                            try await tx.execute("INSERT INTO t VALUES (1)")
                            proxy.fault = .stalled
                        }
                    } catch let error as PostgresError { return error }
                    return nil
                }
            let isCommitting = try await eventually {
                pool.machine.connections.contains { $0.exchange.isUnderWay && $0.exchange.isJustAwaited }
            }
            #expect(isCommitting)
            try await body(pool, proxy, committer)
            proxy.fault = .none
            await pool.close()
            #expect(try await eventually { pool.statistics.counts.total == 0 })
            try await proxy.close()
        }
    }

    @Test(arguments: End.allCases)
    func anInterruptedCommitWithoutAnAnswerIsGivenUpAfterTheGrace(_ end: End) async throws {
        try await whileCommitting(
            grace: .milliseconds(200), isSynchronous: end == .killOfSynchronousBody
        ) { (pool, proxy, committer) async throws in
            switch end {
            case .kill, .killOfSynchronousBody: committer.cancel()
            case .closeOfThePool: await pool.close(grace: .zero)
            }
            let error = try await committer.get()
            #expect(error?.code == .connectionLost && error?.isOutcomeUnknown == true)
            if case .closeOfThePool = end {
                #expect((error?.underlying as? PostgresError)?.code == .poolClosed)
            } else {
                #expect(error?.isCancellation == true)
                proxy.fault = .none
                // The place is free again.
                #expect(try await pool.one(Int.self, "SELECT 1") == 1)
                #expect(pool.statistics.connectionsLost == 1)
            }
            #expect(pool.statistics.statementCancels == 0, "a COMMIT is not cancelled")
        }
    }

    @Test(arguments: [true, false])
    func anInterruptedCommitThatIsAnsweredInTimeIsDone(_ isSynchronous: Bool) async throws {
        try await whileCommitting(grace: .seconds(60), isSynchronous: isSynchronous) {
            (pool, proxy, committer) async throws in
            committer.cancel()
            for _ in 0..<100 { await Greenlet.yield() }
            #expect(!committer.isReady)
            proxy.fault = .none
            #expect(try await committer.get() == nil)
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 1)
            #expect(pool.statistics.connectionsLost == 0 && pool.statistics.statementCancels == 0)
        }
    }

    @Test func aCommitThatNobodyInterruptsIsWaitedFor() async throws {
        try await whileCommitting(grace: .milliseconds(10)) { (pool, proxy, committer) async throws in
            try await reactor.sleep(for: .milliseconds(300))
            #expect(!committer.isReady)
            proxy.fault = .none
            #expect(try await committer.get() == nil)
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 1)
        }
    }
}
