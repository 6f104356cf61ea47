import Greenlets
import LocalPostgres
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// The listener's connection dies, and those who listen come and go by the thousand.
@Suite struct ListenerChaosTests {
    @Test func everybodyHearsOfALostConnectionWhenItIsThereAgain() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            let streams = [
                try await pool.listen("a"), try await pool.listen("a", "b"), try await pool.listen("b"),
            ]
            for round in 1...3 {
                try await pool.withConnection { _ in _ = try await watcher.terminateAll() }
                for events in streams { #expect(try await events.next() == .reconnected) }
                // The pool's own connection may be lost once more before it notices.
                _ = try await eventually { (try? await pool.notify("a", "\(round)")) != nil }
                for events in streams.prefix(2) {
                    #expect(try await events.next()?.notification?.payload == "\(round)")
                }
            }
            try await pool.notify("b", "last")
            for events in streams.dropFirst() {
                #expect(try await events.next()?.notification?.payload == "last")
            }
        }
    }

    @Test func thousandsComeAndGoAndNothingIsLeft() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("ListenerChaosTests seed \(seed)")
        try await Database().withPool(.init(maximum: 2)) { (pool, watcher) async throws in
            var random = SeededGenerator(seed: seed)
            let steady = try await pool.listen("channel 0")
            var greenlets: [Greenlet<Void>] = []
            for number in 0..<2000 {
                let channel = "channel \(Int.random(in: 0..<50, using: &random))"
                let pause = Int.random(in: 0..<20_000, using: &random)
                let leaves = Bool.random(using: &random)
                let greenlet = Greenlet.spawn { () async throws in
                    let events = try await pool.listen(channel)
                    if leaves { return }
                    try await pool.notify(channel, "\(number)")
                    // Others send there, too.
                    while let event = try await events.next() {
                        if event.notification?.payload == "\(number)" { return }
                    }
                }
                greenlets.append(greenlet)
                if number % 3 == 0 {
                    _ = reactor.callLater(.microseconds(pause)) { greenlet.cancel() }
                }
                if number % 20 == 0 { try await Greenlet.sleep(for: .microseconds(200)) }
            }
            for greenlet in greenlets { #expect(try await greenlet.join()) }
            let channels = try #require(pool.listener?.channels)
            #expect(
                try await eventually { channels.active == ["channel 0"] && channels.subscribers.count == 1 })
            try await pool.notify("channel 0", "the end")
            while try await steady.next()?.notification?.payload != "the end" {}
            #expect(try await watcher.sessions() <= 3)
            #expect(pool.statistics.connectionsLost == 0)
        }
    }

    @Test func aServerThatIsAwayIsWaitedFor() async throws {
        try await Database().withPool(.init(maximum: 1, acquireTimeout: .seconds(2))) {
            (pool, watcher) async throws in
            let events = try await pool.listen("a")
            try await watcher.connection.execute(
                "ALTER DATABASE \(ident: watcher.name) ALLOW_CONNECTIONS false")
            try await watcher.terminateAll()
            // Neither a new channel nor one that was listened to is listened to now.
            for channel in ["b", "a"] {
                let error = try await failure { _ = try await pool.listen(channel) }
                #expect(error.code == .acquireTimedOut && error.underlying is PostgresError)
            }
            try await watcher.connection.execute(
                "ALTER DATABASE \(ident: watcher.name) ALLOW_CONNECTIONS true")
            #expect(try await events.next() == .reconnected)
            let channels = try #require(pool.listener?.channels)
            #expect(channels.active == ["a"])
        }
    }

    /// In the moment in which the loss is known already and the listener has not had its turn.
    @Test func whoComesWithTheLossIsListenedForByTheNextConnection() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            let first = try await pool.listen("a")
            let listener = try #require(pool.listener)
            let session = try #require(listener.session)
            session.lose(PostgresError(.connectionLost, "lost by the test"), .alone)
            let second = try await pool.listen("a")
            #expect(listener.session !== session && listener.session?.isUsable == true)
            try await pool.notify("a", "1")
            #expect(try await first.next() == .reconnected)
            for events in [first, second] {
                #expect(try await events.next()?.notification?.payload == "1")
            }
        }
    }

    /// The next host of the list is a standby, which takes no LISTEN before it is promoted.
    @Test func aStandbyThatRefusesToListenIsWaitedForByThoseWhoListened() async throws {
        let primary = try LocalCluster.temporary(settings: [
            "wal_level": "replica", "max_wal_senders": "4", "max_connections": "30",
        ])
        defer { primary.stop(mode: .immediate) }
        let standby = try LocalCluster.standby(of: primary)
        defer { standby.stop(mode: .immediate) }
        try await withReactor { (_) async throws in
            var both = try PostgresConfiguration(primary.url)
            both["host"] = "\(primary.socketDirectory),\(standby.socketDirectory)"
            let pool = PostgresPool(both, .init(maximum: 2, acquireTimeout: .seconds(50)))
            let events = try await pool.listen("a")
            try await reactor.deferToThread { primary.stop(mode: .immediate) }.value
            let listener = try #require(pool.listener)
            #expect(
                try await eventually { listener.lastFailure?.sqlState == .readOnlySQLTransaction })
            // Who comes now is told.
            let error = try await failure { _ = try await pool.listen("a") }
            #expect(error.sqlState == .readOnlySQLTransaction)
            let admin = try await PostgresConnection.connect(PostgresConfiguration(standby.url))
            #expect(try await admin.one("SELECT pg_promote()"))
            #expect(try await events.next() == .reconnected)
            try await admin.notify("a", "1")
            #expect(try await events.next()?.notification?.payload == "1")
            await admin.close()
            await pool.close(grace: .seconds(1))
        }
    }
}
