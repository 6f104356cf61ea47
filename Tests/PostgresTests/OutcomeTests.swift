import Glibc
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Only what the server has said is told as certain: of all else the error says that nobody knows.
@Suite struct OutcomeTests {
    /// Runs `body` with a connection whose server process stands still.
    private func withStoppedServer(
        _ body: @escaping @Sendable @ReactorActor (PostgresConnection) async throws -> Void
    ) async throws {
        var configuration = try Database().configuration
        configuration.cancelGrace = .milliseconds(100)
        try await withReactor { [configuration] (_) async throws in
            let connection = try await PostgresConnection.connect(configuration)
            // A stopped backend handles no signal.
            #expect(kill(connection.processID, SIGSTOP) == 0)
            defer { kill(connection.processID, SIGCONT) }
            try await body(connection)
            #expect(!connection.isUsable)
            kill(connection.processID, SIGCONT)
            await connection.close()
        }
    }

    @Test func aKilledGreenletWhoseServerDoesNotObeyDoesNotKnow() async throws {
        try await withStoppedServer { (connection) async throws in
            let greenlet = Greenlet.spawn { () async throws in
                try await failure { try await connection.execute("SELECT 1") }
            }
            await Greenlet.yield()
            greenlet.cancel()
            let error = try await greenlet.get()
            #expect(error.code == .connectionLost && error.isOutcomeUnknown && error.isCancellation)
            #expect(!error.isTimeout && !error.isRetrySafe)
        }
    }

    @Test func soDoesOneWithASynchronousBody() async throws {
        try await withStoppedServer { (connection) async throws in
            let greenlet = Greenlet.spawn { () throws -> PostgresError? in
                do { try connection.execute("SELECT 1") } catch let error as PostgresError { return error }
                return nil
            }
            await Greenlet.yield()
            greenlet.cancel()
            let error = try await greenlet.get()
            #expect(error?.code == .connectionLost && error?.isCancellation == true)
        }
    }

    @Test func aTimeoutAroundItKeepsTheReason() async throws {
        try await withStoppedServer { (connection) async throws in
            let error = await #expect(throws: TimeoutError.self) {
                try await withTimeout(.milliseconds(20)) { try await connection.execute("SELECT 1") }
            }
            #expect((error?.underlying as? PostgresError)?.isCancellation == true)
        }
    }

    @Test func aPipelineWhoseServerDoesNotObeySaysSoOfWhatWasSent() async throws {
        try await withStoppedServer { (connection) async throws in
            try await connection.withPipeline { pipeline in
                let sent = pipeline.one(Int.self, "SELECT 1")
                let error = try await failure { try await pipeline.flush(timeout: .milliseconds(20)) }
                #expect(error.code == .connectionLost && error.isTimeout)
                let own = try await failure { _ = try sent.value }
                #expect(own.code == .connectionLost && own.isTimeout)
            }
        }
    }

    @Test func aConnectionClosedUnderAStatementSaysThatNobodyKnows() async throws {
        try await Database().withConnection { (connection) async throws in
            let sleeper = Greenlet.spawn { () async throws in
                try await failure { try await connection.execute("SELECT pg_sleep(60)") }
            }
            await Greenlet.yield()
            await connection.close()
            #expect(try await sleeper.get().code == .connectionLost)
            let late = try await failure { try await connection.execute("SELECT 1") }
            #expect(late.code == .connectionClosed && !late.isOutcomeUnknown)
        }
    }

    @Test func aServerThatEndsTheConnectionInsteadOfTheStatementSaysThatNobodyKnows() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            let process = try await pool.withConnection { connection in connection.processID }
            let victim = Greenlet.spawn { () async throws in
                try await failure { try await pool.execute("SELECT pg_sleep(60)") }
            }
            #expect(try await eventually { try await watcher.active() == 1 })
            // Goes on with the cancel request and the order to end at once: the latter counts more.
            #expect(kill(process, SIGSTOP) == 0)
            victim.cancel()
            try await watcher.connection.execute("SELECT pg_terminate_backend(\(process))")
            #expect(kill(process, SIGCONT) == 0)
            let error = try await victim.get()
            #expect(error.code == .connectionLost && error.sqlState == .adminShutdown && error.isCancellation)
        }
    }

    @Test(arguments: [PostgresPoolOptions(maximum: 1), MultiplexedPoolTests.options(1)])
    func aPoolThatClosesOverAServerThatDoesNotObeySaysThatNobodyKnows(_ options: PostgresPoolOptions)
        async throws
    {
        var configuration = try Database().configuration
        configuration.cancelGrace = .milliseconds(100)
        try await withReactor { [configuration] (_) async throws in
            let pool = PostgresPool(configuration, options)
            let process: Int32 = try await pool.one("SELECT pg_backend_pid()")
            #expect(kill(process, SIGSTOP) == 0)
            defer { kill(process, SIGCONT) }
            let caller = Greenlet.spawn { () async throws in
                try await failure { try await pool.execute("SELECT 1") }
            }
            let isSent = try await eventually {
                options.mode == .exclusive
                    ? pool.statistics.counts.borrowed == 1 : pool.multiplexer?.machine.outstanding == 1
            }
            #expect(isSent)
            await pool.close(grace: .zero)
            let error = try await caller.get()
            #expect(error.code == .connectionLost)
            #expect((error.underlying as? PostgresError)?.code == .poolClosed)
            kill(process, SIGCONT)
            #expect(try await eventually { pool.statistics.counts.total == 0 })
        }
    }

    @Test func aWriteThatIsLeftOnASharedConnectionSaysThatNobodyKnows() async throws {
        try await Database().withPool(MultiplexedPoolTests.options(1)) { (pool, _) async throws in
            pool.multiplexer?.machine = .init(limits: .init(lines: 1, slowAfter: .seconds(3600)))
            try await pool.execute("CREATE TABLE t (n int)")
            // Those that are known to be quick follow each other.
            for _ in 0..<3 {
                try await pool.execute("INSERT INTO t VALUES (\(Int32(0)))")
                try await pool.execute("SELECT pg_sleep(\(0.0))")
            }
            let sleeper = Greenlet.spawn { try await pool.execute("SELECT pg_sleep(\(60.0))") }
            #expect(try await eventually { pool.multiplexer?.machine.outstanding == 1 })
            let writer = Greenlet.spawn { () async throws in
                try await failure { try await pool.execute("INSERT INTO t VALUES (\(Int32(1)))") }
            }
            let reader = Greenlet.spawn { () async throws in
                do { try await pool.execute("SELECT pg_sleep(\(0.0))") } catch is CancellationError {
                    return true
                }
                return false
            }
            #expect(try await eventually { pool.multiplexer?.machine.outstanding == 3 })
            writer.cancel()
            reader.cancel()
            let error = try await writer.get()
            #expect(error.code == .outcomeUnknown && error.isOutcomeUnknown && error.isCancellation)
            #expect(try await reader.get(), "it reads: there is nothing to know")
            try await sleeper.kill()
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t WHERE n = 1") == 1)
            #expect(pool.statistics.connectionsLost == 0)
        }
    }

    /// The rest of a stream is dropped that its server has finished.
    @Test(arguments: [true, false])
    func aStreamThatWritesAndIsInterruptedTooLateSaysSo(_ writes: Bool) async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            // Of one row after the other, the first batch leaves the rest in the socket's buffers.
            let rows = RowGatherer.batchRows + 100
            let statement: SQL =
                writes
                ? "INSERT INTO t SELECT generate_series(1, \(Int32(rows))) RETURNING n"
                : "SELECT generate_series(1, \(Int32(rows)))"
            let reader = Greenlet.spawn { () async throws -> (any Error)? in
                var stream = pool.stream(statement).makeAsyncIterator()
                #expect(try await stream.next() != nil)
                #expect(try await watcher.seesIdleSessions())
                withUnsafeCurrentTask { $0?.cancel() }
                do { while try await stream.next() != nil {} } catch { return error }
                return nil
            }
            let error = try await reader.get()
            if writes {
                let error = try #require(error as? PostgresError)
                #expect(error.code == .outcomeUnknown && error.isCancellation)
            } else {
                #expect(error is CancellationError)
            }
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM t") == (writes ? rows : 0))
            #expect(pool.statistics.connectionsLost == 0)
        }
    }
}
