import ConnectionPools
import Glibc
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import TestForks
import Testing

@testable import Postgres

/// Each test in a process of its own.
@Suite struct PoolForkTests {
    /// A statement of the child must not go down a pipeline of the parent's.
    @Test func theChildSharesConnectionsOfItsOwn() async {
        await #expect(processExitsWith: .success) {
            for mode in [PostgresPoolMode.multiplexed(connections: 1), .automatic] {
                let database = try Database()
                try await withReactor { (reactor) async throws in
                    let pool = PostgresPool(database.configuration, .init(maximum: 1, mode: mode))
                    for _ in 0..<3 { try await pool.execute("SELECT pg_backend_pid()") }
                    let parent: Int32 = try await pool.one("SELECT pg_backend_pid()")
                    let child = try await Greenlet.spawn { () -> Int32 in
                        let child = forkProcess()
                        guard child == 0 else { return exitStatus(of: child) }
                        let code = try? reactor.run(until: { () async throws -> Int32 in
                            let own: Int32 = try await pool.one("SELECT pg_backend_pid()")
                            return own == parent ? 1 : 7
                        })
                        _exit(code ?? 4)
                    }.get()
                    #expect(child == 7)
                    #expect(try await pool.one(Int32.self, "SELECT pg_backend_pid()") == parent)
                    #expect(pool.statistics.connectionsLost == 0)
                    await pool.close()
                }
            }
        }
    }

    /// Fact 11: what the child does with the pool, its end included, the parent's sessions do not notice.
    @Test func theChildHasAnEmptyPoolOfItsOwnAndTheParentKeepsItsConnections() async {
        await #expect(processExitsWith: .success) {
            let database = try Database()
            try await withReactor { (reactor) async throws in
                let pool = PostgresPool(database.configuration, .init(maximum: 3, minimum: 2))
                try await pool.warmUp()
                let parents = Set(pool.machine.connections.map(\.processID))
                let sockets = pool.machine.connections.map(\.descriptor)
                let lease = try await pool.lease()
                let child = try await Greenlet.spawn { () -> Int32 in
                    let child = forkProcess()
                    guard child == 0 else { return exitStatus(of: child) }
                    let code = try? reactor.run(until: { () async throws -> Int32 in
                        guard pool.statistics.counts.total == 0 else { return 1 }
                        guard sockets.allSatisfy({ fcntl($0, F_GETFD) == -1 }) else { return 2 }
                        let own = try await pool.one(Int32.self, "SELECT pg_backend_pid()")
                        guard !parents.contains(own) else { return 3 }
                        await pool.close()
                        return 7
                    })
                    _exit(code ?? 4)
                }.get()
                #expect(child == 7)
                #expect(
                    parents.contains(try await lease.connection.one(Int32.self, "SELECT pg_backend_pid()")))
                lease.end()
                for _ in 0..<4 {
                    #expect(parents.contains(try await pool.one(Int32.self, "SELECT pg_backend_pid()")))
                }
                #expect(pool.statistics.connectionsLost == 0)
                await pool.close()
            }
        }
    }

    /// To listen is the first thing that the child does with the pool: the parent's listener would say that it does already.
    @Test func theChildListensByAConnectionOfItsOwn() async {
        await #expect(processExitsWith: .success) {
            let database = try Database()
            try await withReactor { (reactor) async throws in
                let pool = PostgresPool(database.configuration, .init(maximum: 1))
                let events = try await pool.listen("a")
                let child = try await Greenlet.spawn { () -> Int32 in
                    let child = forkProcess()
                    guard child == 0 else { return exitStatus(of: child) }
                    let code = try? reactor.run(until: { () async throws -> Int32 in
                        let own = try await pool.listen("a")
                        try await pool.notify("a", "of the child")
                        let event = try await withTimeout(.seconds(30)) { try await own.next() }
                        return event?.notification?.payload == "of the child" ? 7 : 1
                    })
                    _exit(code ?? 4)
                }.get()
                #expect(child == 7)
                #expect(try await events.next()?.notification?.payload == "of the child")
                await pool.close()
            }
        }
    }

    /// Each statement would be the parent's session's, and its answer whoever's reads first.
    @Test func anInheritedConnectionTakesNoStatementInTheChild() async {
        await #expect(processExitsWith: .success) {
            let database = try Database()
            try await withReactor { (reactor) async throws in
                let connection = try await PostgresConnection.connect(database.configuration)
                let other = try await PostgresConnection.connect(database.configuration)
                let sockets = [connection.session.descriptor, other.session.descriptor]
                let child = try await Greenlet.spawn { () -> Int32 in
                    let child = forkProcess()
                    guard child == 0 else { return exitStatus(of: child) }
                    let code = try? reactor.run(until: { () async throws -> Int32 in
                        for attempt in 0..<2 {
                            let error = try await failure { try await connection.execute("SELECT 1") }
                            guard error.code == .connectionClosed, error.message.contains("fork") else {
                                return 1
                            }
                            let piped = try await failure {
                                _ = try await other.pipeline { $0.execute("SELECT 1") }
                            }
                            guard piped.code == .connectionClosed, piped.message.contains("fork") else {
                                return 2
                            }
                            guard attempt > 0 || sockets.allSatisfy({ fcntl($0, F_GETFD) == -1 }) else {
                                return 3
                            }
                        }
                        return connection.isUsable || other.isUsable ? 5 : 7
                    })
                    _exit(code ?? 4)
                }.get()
                #expect(child == 7)
                for connection in [connection, other] {
                    #expect(
                        try await connection.one(Int32.self, "SELECT pg_backend_pid()")
                            == connection.processID)
                    await connection.close()
                }
            }
        }
    }

    @Test func aStreamThatIsOpenGoesOnInTheParentAlone() async {
        await #expect(processExitsWith: .success) {
            let database = try Database()
            try await withReactor { (reactor) async throws in
                let connection = try await PostgresConnection.connect(database.configuration)
                let rows: SQL = "SELECT generate_series(1, 200000), repeat('x', 100)"
                let seen = try await Greenlet.spawn { () async throws -> Int in
                    var iterator = connection.stream(rows).makeAsyncIterator()
                    _ = try await iterator.next()
                    let child = forkProcess()
                    if child == 0 {
                        let code = try? reactor.run(until: { () async throws -> Int32 in
                            let error = try await failure { while try await iterator.next() != nil {} }
                            return error.code == .connectionClosed ? 7 : 1
                        })
                        _exit(code ?? 4)
                    }
                    #expect(exitStatus(of: child) == 7)
                    var seen = 1
                    while try await iterator.next() != nil { seen += 1 }
                    return seen
                }.get()
                #expect(seen == 200_000)
                #expect(try await connection.one(Int.self, "SELECT 1") == 1)
                await connection.close()
            }
        }
    }

    @Test func anInheritedLeaseIsNothingInTheChild() async {
        await #expect(processExitsWith: .success) {
            let database = try Database()
            try await withReactor { (reactor) async throws in
                let pool = PostgresPool(database.configuration, .init(maximum: 1))
                let lease = try await pool.lease()
                let parent = lease.connection.processID
                let child = try await Greenlet.spawn { () -> Int32 in
                    let child = forkProcess()
                    guard child == 0 else { return exitStatus(of: child) }
                    let code = try? reactor.run(until: { () async throws -> Int32 in
                        let error = try await failure { try await lease.connection.execute("SELECT 1") }
                        guard error.code == .connectionClosed else { return 1 }
                        return try await pool.withConnection { connection in
                            // The pool's first place is in use again: the parent's lease is none of its loans.
                            lease.end()
                            guard pool.statistics.counts.borrowed == 1 else { return 2 }
                            let own = try await connection.one(Int32.self, "SELECT pg_backend_pid()")
                            return own == parent ? 3 : 7
                        }
                    })
                    _exit(code ?? 4)
                }.get()
                #expect(child == 7)
                #expect(
                    try await lease.connection.one(Int32.self, "SELECT pg_backend_pid()") == parent)
                lease.end()
                #expect(pool.statistics.connectionsLost == 0)
                await pool.close()
            }
        }
    }

    /// libpq closes the socket of a connection that it finds dead, and the number is somebody else's then.
    @Test func aSocketThatIsGoneIsNotClosedAgain() async {
        await #expect(processExitsWith: .success) {
            let database = try Database()
            try await withReactor { (_) async throws in
                let connection = try await PostgresConnection.connect(database.configuration)
                let descriptor = connection.session.descriptor
                let watcher = try await Watcher(database.configuration)
                try await watcher.terminateAll()
                await watcher.connection.close()
                #expect(try await eventually { fcntl(descriptor, F_GETFD) == -1 })
                let somebodyElses = fcntl(0, F_DUPFD, descriptor)
                #expect(somebodyElses == descriptor)
                connection.session.abandon()
                #expect(fcntl(descriptor, F_GETFD) != -1)
                close(somebodyElses)
            }
        }
    }

    @Test func aConnectionClosedInTheChildStaysOpenInTheParent() async {
        await #expect(processExitsWith: .success) {
            let database = try Database()
            try await withReactor { (reactor) async throws in
                let connection = try await PostgresConnection.connect(database.configuration)
                let child = try await Greenlet.spawn { () -> Int32 in
                    let child = forkProcess()
                    guard child == 0 else { return exitStatus(of: child) }
                    let code = try? reactor.run(until: { () async throws -> Int32 in
                        await connection.close()
                        return connection.isUsable ? 1 : 6
                    })
                    _exit(code ?? 4)
                }.get()
                #expect(child == 6)
                #expect(try await connection.one(Int.self, "SELECT 1") == 1)
                await connection.close()
            }
        }
    }
}
