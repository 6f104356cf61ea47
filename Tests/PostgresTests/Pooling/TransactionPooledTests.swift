import Greenlets
import LocalPostgres
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite(.enabled(if: PgBouncer.path != nil, "PgBouncer is not installed; Scripts/test installs it"))
struct TransactionPooledTests {
    func withPooler(
        _ pooling: PostgresPooling = .transactionPooled, mode: String = "transaction", checks: Bool = true,
        log: CapturedLog = CapturedLog(),
        _ body: @escaping @Sendable @ReactorActor (PostgresPool) async throws -> Void
    ) async throws {
        let cluster = try LocalCluster.temporary()
        defer { cluster.stop(mode: .immediate) }
        let bouncer = try PgBouncer(before: cluster, mode: mode)
        defer { bouncer.stop() }
        try await withReactor { (_) async throws in
            var configuration = bouncer.configuration
            configuration.pooling = pooling
            configuration.checksForPooler = checks
            configuration.logger = log.logger
            let pool = PostgresPool(configuration, .init(label: "bounced", maximum: 8))
            let result: Result<Void, any Error>
            do { result = .success(try await body(pool)) } catch { result = .failure(error) }
            await pool.close(grace: .seconds(2))
            try result.get()
        }
    }

    /// Eight connections, two sessions: every statement may meet another session than the last.
    @Test func statementsTransactionsAndPipelinesWorkOnSessionsThatChange() async throws {
        try await withPooler { (pool) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            let greenlets = (0..<8).map { number in
                Greenlet.spawn { () async throws in
                    for _ in 0..<20 {
                        #expect(try await pool.one(Int.self, "SELECT \(number)") == number)
                        try await pool.transaction { tx in
                            try await tx.execute("SET LOCAL work_mem = '1MB'")
                            try await tx.execute("INSERT INTO t VALUES (\(Int32(number)))")
                        }
                        let (one, two) = try await pool.pipeline {
                            ($0.one(Int.self, "SELECT \(1)"), $0.one(Int.self, "SELECT \(2)"))
                        }
                        #expect(one == 1 && two == 2)
                    }
                }
            }
            for greenlet in greenlets { try await greenlet.get() }
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == 160)
            var sum = 0
            for try await row in pool.stream("SELECT n::bigint FROM generate_series(1, 1000) AS n") {
                sum += try row.decode(Int.self, at: 0)
            }
            #expect(sum == 500_500)
        }
    }

    /// What COPY needs to know of the columns is asked in one session, whoever else is served meanwhile.
    @Test func copyFindsItsColumnsOnSessionsThatChange() async throws {
        try await withPooler { (pool) async throws in
            try await pool.execute("CREATE TABLE t (n int, x text)")
            let greenlets = (0..<8).map { number in
                Greenlet.spawn { () async throws in
                    for round in 0..<20 {
                        let row = [(Int32(number), "\(round)")]
                        try await pool.copyIn(into: "t", format: .binary, rows: row)
                        let sql = SQL(raw: "SELECT n, x, \(number) AS c FROM t WHERE n = \(number)")
                        var count = 0
                        for try await row in pool.copyRows(query: sql) {
                            #expect(try row.decode(Int.self, at: 2) == number)
                            count += 1
                        }
                        #expect(count == round + 1)
                    }
                }
            }
            for greenlet in greenlets { try await greenlet.get() }
            #expect(pool.statistics.connectionsLost == 0)
        }
    }

    @Test func cancellingReachesTheStatementAndTheConnectionIsKept() async throws {
        try await withPooler { (pool) async throws in
            let error = try await failure {
                _ = try await pool.query("SELECT pg_sleep(60)", timeout: .milliseconds(200))
            }
            #expect(error.code == .timedOut)
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            #expect(pool.statistics.connectionsLost == 0)
        }
    }

    @Test(arguments: [
        "SET work_mem = '1MB'", "LISTEN news", "SELECT pg_advisory_lock(1)", "PREPARE p AS SELECT 1",
        "CREATE TEMP TABLE t (n int)", "SELECT set_config('work_mem', '1MB', false)", "DISCARD ALL",
    ])
    func whatStaysInASessionIsRefusedWithAReason(_ text: String) async throws {
        // Refused before anything is sent: there need not be a server, only a session.
        try await Database().withConnection { (connection) async throws in
            var configuration = connection.session.configuration
            configuration.pooling = .transactionPooled
            let pooled = try await PostgresConnection.connect(configuration)
            let error = try await failure { _ = try await pooled.query(SQL(raw: text)) }
            #expect(error.code == .needsSession && error.description.contains("pooler in transaction mode"))
            let script = try await failure { try await pooled.script(text) }
            #expect(script.code == .needsSession)
            if text.hasPrefix("SELECT") {
                let copy = try await failure { for try await _ in pooled.copyOut(query: SQL(raw: text)) {} }
                #expect(copy.code == .needsSession)
                let stream = try await failure { for try await _ in pooled.stream(SQL(raw: text)) {} }
                #expect(stream.code == .needsSession)
            }
            await pooled.close()
        }
    }

    @Test func startupOptionsAreRefusedBeforeThePoolerDoes() async throws {
        try await withReactor { (_) async throws in
            var configuration = try PostgresConfiguration("host=/nowhere options='-c work_mem=1MB'")
            configuration.pooling = .transactionPooled
            let error = try await failure { [configuration] in
                _ = try await PostgresConnection.connect(configuration)
            }
            #expect(error.code == .invalidConfiguration && error.description.contains("work_mem"))
        }
    }

    @Test func aPoolerThatNobodySpokeOfIsToldAtTheFirstConnect() async throws {
        try await withPooler(.session) { (pool) async throws in
            let error = try await failure { try await pool.execute("SELECT 1") }
            #expect(error.description.contains("is a pooler in transaction mode"), "\(error)")
            #expect(error.description.contains("pooling = .transactionPooled"))
            #expect(!error.isRetrySafe)
            let single = try await failure {
                _ = try await PostgresConnection.connect(pool.configuration)
            }
            #expect(single.code == .invalidConfiguration)
            let listening = try await failure { _ = try await pool.listen("a") }
            #expect(listening.description.contains("is a pooler in transaction mode"))
        }
    }

    /// While others keep the pooler's sessions busy.
    @Test func aPoolerThatIsBusyIsToldToo() async throws {
        try await withPooler(.session) { (pool) async throws in
            var honest = pool.configuration
            honest.pooling = .transactionPooled
            let others = PostgresPool(honest, .init(label: "others", maximum: 4))
            var isOver = false
            let greenlets = (0..<4).map { _ in
                Greenlet.spawn { () async throws in while !isOver { try await others.execute("SELECT 1") } }
            }
            let error = try await failure {
                // One attempt may see nothing; what it cannot see must not be claimed.
                for _ in 0..<1000 {
                    let connection = try await PostgresConnection.connect(pool.configuration)
                    await connection.close()
                }
            }
            #expect(error.code == .invalidConfiguration)
            isOver = true
            for greenlet in greenlets { try await greenlet.get() }
            await others.close()
        }
    }

    @Test func aPoolerInSessionModeIsLeftAlone() async throws {
        try await withPooler(.session, mode: "session") { (pool) async throws in
            for number in 0..<20 { #expect(try await pool.one(Int.self, "SELECT \(number)") == number) }
            let connection = try await PostgresConnection.connect(pool.configuration)
            await connection.close()
            #expect(pool.statistics.connectsFailed == 0 && pool.statistics.connectsSucceeded == 1)
        }
    }

    /// Prepared statements on sessions that change: found out by their vanishing, mended, and said.
    @Test func aPoolerThatNobodySpokeOfIsSuspected() async throws {
        let log = CapturedLog()
        try await withPooler(.session, checks: false, log: log) { (pool) async throws in
            try await pool.withConnection { (connection) async throws in
                // Prepared in the one session that the pooler has opened so far.
                for number in 0..<3 {
                    #expect(try await connection.one(Int.self, "SELECT \(number)") == number)
                }
                try await pool.transaction { (tx) async throws in
                    // The transaction has that session, so that the connection meets another one.
                    #expect(try await tx.one(Int.self, "SELECT count(*) FROM pg_class") > 0)
                    #expect(try await connection.one(Int.self, "SELECT \(3)") == 3)
                }
            }
        }
        #expect(log.messages.contains { $0.contains("transactionPooled") })
    }
}
