import ConnectionPools
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct PoolHookTests {
    /// What the hooks were called with.
    @ReactorActor final class Calls {
        var count = 0
        var closes: [PostgresCloseReason] = []
        var isOver = false
        lazy var goesOn = Event()
    }

    struct Refused: Error {}

    @Test func configureIsAskedBeforeEachConnect() async throws {
        let calls = Calls()
        var options = PostgresPoolOptions(maximum: 1)
        options.hooks.configure = { configuration in
            calls.count += 1
            var fresh = configuration
            fresh["application_name"] = "run \(calls.count)"
            return fresh
        }
        try await Database().withPool(options) { (pool, _) async throws in
            for number in 1...3 {
                #expect(try await pool.one(String.self, "SHOW application_name") == "run \(number)")
                pool.recycle()
            }
        }
    }

    /// Those that are being opened with what was valid before, as well; the listener's is one of them.
    @Test func whatIsBeingOpenedWhileThePoolIsRecycledIsReplaced() async throws {
        let calls = Calls()
        var options = PostgresPoolOptions(maximum: 1)
        options.hooks.configure = { configuration in
            calls.count += 1
            var fresh = configuration
            fresh["application_name"] = calls.isOver ? "new" : "old"
            try await calls.goesOn.wait()
            return fresh
        }
        try await Database().withPool(options) { (pool, watcher) async throws in
            let listening = Greenlet.spawn { () async throws in try await pool.listen("t") }
            let asking = Greenlet.spawn { () async throws in
                try await pool.one(String.self, "SHOW application_name")
            }
            #expect(try await eventually { calls.count == 2 })
            calls.isOver = true
            pool.recycle()
            calls.goesOn.set()
            #expect(try await asking.get() == "new")
            _ = try await listening.get()
            #expect(Set(try await watcher.applicationNames()) == ["new"])
            #expect(pool.statistics.evictions == [.recycled: 1])
        }
    }

    /// A password that only the hook knows is the listener's, too, and so is the one after a change.
    @Test func theListenerAsksConfigureBeforeEachConnect() async throws {
        let calls = Calls()
        var options = PostgresPoolOptions(maximum: 1)
        options.hooks.configure = { configuration in
            calls.count += 1
            var fresh = configuration
            fresh["application_name"] = "listener \(calls.count)"
            return fresh
        }
        try await Database().withPool(options) { (pool, watcher) async throws in
            let events = try await pool.listen("t")
            #expect(calls.count == 1)
            #expect(try await watcher.applicationNames() == ["listener 1"])
            try await watcher.terminateAll()
            guard case .reconnected? = try await events.next() else {
                Issue.record("the listener did not come back")
                return
            }
            #expect(try await watcher.applicationNames() == ["listener 2"])
        }
        let refusing = Calls()
        var refused = PostgresPoolOptions(maximum: 1, acquireTimeout: .milliseconds(1500))
        refused.hooks.configure = { _ in
            refusing.count += 1
            throw Refused()
        }
        try await Database().withPool(refused) { (pool, _) async throws in
            let error = try await failure { _ = try await pool.listen("t") }
            #expect(error.code == .acquireTimedOut && "\(error)".contains("Refused"), "\(error)")
            #expect(refusing.count > 1)
        }
    }

    @Test func aThrowingConfigureOrOnConnectFailsTheConnectAndSaysWhy() async throws {
        var first = PostgresPoolOptions(maximum: 1, acquireTimeout: .milliseconds(1500))
        first.hooks.configure = { _ in throw Refused() }
        var second = PostgresPoolOptions(maximum: 1, acquireTimeout: .milliseconds(1500))
        second.hooks.onConnect = { _ = try await $0.execute("SELECT 1/0") }
        for (options, reason) in [(first, "Refused"), (second, "division by zero")] {
            try await Database().withPool(options) { (pool, watcher) async throws in
                let error = try await failure { _ = try await pool.execute("SELECT 1") }
                #expect(error.code == .acquireTimedOut && error.message.contains(reason), "\(error)")
                #expect(pool.statistics.connectsFailed > 1 && pool.statistics.counts.borrowed == 0)
                #expect(try await eventually { try await watcher.sessions() == 0 })
            }
        }
    }

    @Test func onAcquireSeesAgeAndIdleTimeAndMayWantAnother() async throws {
        let calls = Calls()
        var options = PostgresPoolOptions(maximum: 2)
        options.hooks.onAcquire = { (connection, meta) async throws in
            #expect(meta.age >= meta.idle && meta.idle >= .zero)
            #expect(try await connection.one(Int.self, "SELECT 1") == 1)
            calls.count += 1
            return calls.count % 3 != 0
        }
        options.hooks.onClose = { calls.closes.append($0) }
        try await Database().withPool(options) { (pool, _) async throws in
            for _ in 0..<8 { #expect(try await pool.one(Int.self, "SELECT 1") == 1) }
            #expect(calls.count == 11 && calls.closes == [.refusedByHook, .refusedByHook, .refusedByHook])
            #expect(pool.statistics.acquired == 8)
            await pool.close()
            #expect(calls.closes.last == .poolClosed)
        }
    }

    @Test func whatOnAcquireThrowsTheBorrowerGetsAndNoPlaceIsLost() async throws {
        let calls = Calls()
        var options = PostgresPoolOptions(maximum: 1)
        options.hooks.onAcquire = { _, _ in
            calls.count += 1
            if calls.count <= 5 { throw Refused() }
            return true
        }
        try await Database().withPool(options) { (pool, _) async throws in
            for _ in 1...5 { await #expect(throws: Refused.self) { _ = try await pool.execute("SELECT 1") } }
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            #expect(pool.statistics.evictions == [.refusedByHook: 5] && pool.statistics.counts.total == 1)
        }
    }

    @Test func aHookThatHangsAndHearsNothingCostsItsBorrowerItsTimeAndNoMore() async throws {
        let calls = Calls()
        var options = PostgresPoolOptions(maximum: 1, minimum: 1)
        options.hooks.onAcquire = { _, _ in
            calls.count += 1
            // Deaf to cancellation.
            if calls.count == 1 { while !calls.isOver { await reactor.yield() } }
            return true
        }
        try await Database().withPool(options) { (pool, _) async throws in
            try await pool.warmUp()
            let error = try await failure {
                try await pool.withConnection(timeout: .milliseconds(100)) { _ in }
            }
            #expect(error.code == .acquireTimedOut && error.message.contains("onAcquire"), "\(error)")
            #expect(try await pool.one(Int.self, "SELECT 1") == 1)
            calls.isOver = true
        }
    }

    @Test func closingEndsHooksThatHang() async throws {
        let calls = Calls()
        let database = try Database()
        var options = PostgresPoolOptions(maximum: 1, acquireTimeout: .seconds(50))
        options.hooks.onAcquire = { _, _ in
            calls.count += 1
            try await Greenlet.sleep(for: .seconds(50))
            return true
        }
        try await withReactor { (reactor) async throws in
            let pool = PostgresPool(database.configuration, options)
            let borrower = Greenlet.spawn { try await failure { _ = try await pool.execute("SELECT 1") } }
            #expect(try await eventually { calls.count == 1 })
            let start = reactor.now
            await pool.close(grace: .milliseconds(10))
            #expect(try await borrower.get().code == .poolClosed)
            #expect(start.duration(to: reactor.now) < .seconds(10))
        }
    }

    @Test func closingEndsAConnectWhoseHookHangs() async throws {
        let calls = Calls()
        let database = try Database()
        var options = PostgresPoolOptions(maximum: 1, minimum: 1)
        options.hooks.onConnect = { _ in
            calls.count += 1
            try await Greenlet.sleep(for: .seconds(50))
        }
        try await withReactor { (reactor) async throws in
            let pool = PostgresPool(database.configuration, options)
            let borrower = Greenlet.spawn { try await failure { try await pool.warmUp() } }
            #expect(try await eventually { calls.count == 1 })
            let start = reactor.now
            await pool.close(grace: .milliseconds(10))
            #expect(try await borrower.get().code == .poolClosed)
            #expect(start.duration(to: reactor.now) < .seconds(10) && pool.statistics.counts.total == 0)
        }
    }

    @Test func onReleaseThatRefusesOrThrowsClosesTheConnection() async throws {
        let calls = Calls()
        var options = PostgresPoolOptions(maximum: 1)
        options.hooks.onRelease = { connection in
            calls.count += 1
            #expect(connection.transactionStatus == .idle)
            if calls.count == 2 { throw Refused() }
            return calls.count != 1
        }
        try await Database().withPool(options) { (pool, _) async throws in
            var processes: Set<Int32> = []
            for _ in 0..<5 { processes.insert(try await pool.one(Int32.self, "SELECT pg_backend_pid()")) }
            #expect(processes.count == 3 && pool.statistics.evictions == [.refusedByHook: 2])
        }
    }
}

extension Watcher {
    /// What the database's sessions call themselves.
    fileprivate func applicationNames() async throws -> [String] {
        try await connection.one(
            "SELECT array_agg(application_name ORDER BY 1) FROM pg_stat_activity WHERE datname = \(name)")
    }
}
