import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Who listens gets what is sent, over one connection of the pool's own.
@Suite struct ListenTests {
    @Test func whatIsSentAfterListenArrivesInOrder() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            let orders = try await pool.listen("orders")
            let both = try await pool.listen("orders", "Odd \"name\"")
            for number in 1...100 { try await pool.notify("orders", "order \(number)") }
            try await pool.notify("Odd \"name\"")
            for number in 1...100 {
                for events in [orders, both] {
                    let message = try #require(try await events.next()?.notification)
                    #expect(message.channel == "orders" && message.payload == "order \(number)")
                    #expect(message.processID > 0)
                }
            }
            #expect(try await both.next()?.notification?.channel == "Odd \"name\"")
            // The pool's connection and the listener's, which does not count.
            #expect(try await watcher.sessions() == 2)
            #expect(pool.statistics.counts.borrowed == 0 && pool.statistics.counts.maximum == 1)
        }
    }

    /// The server that it was connected to may be one no more to which messages are sent.
    @Test func recyclingReplacesTheConnectionThatListens() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            let events = try await pool.listen("orders")
            let listener: SQL = """
                SELECT pid FROM pg_stat_activity WHERE datname = \(watcher.name) AND query LIKE 'LISTEN%'
                """
            for _ in 0..<2 {
                let old = try await watcher.connection.one(Int.self, listener)
                pool.recycle()
                guard case .reconnected? = try await events.next() else {
                    return #expect(Bool(false), "who listens is told")
                }
                try await pool.notify("orders", "new")
                #expect(try await events.next()?.notification?.payload == "new")
                #expect(try await watcher.connection.one(Int.self, listener) != old)
            }
        }
    }

    @Test func messagesOfATransactionComeWithItsCommit() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, _) async throws in
            let events = try await pool.listen("t")
            _ = try? await pool.transaction { tx in
                try await tx.notify("t", "undone")
                throw NoFailure()
            }
            try await pool.transaction { tx in
                try await tx.notify("t", "first")
                try await pool.outsideTransaction { try await pool.notify("t", "other") }
            }
            #expect(try await events.next()?.notification?.payload == "other")
            #expect(try await events.next()?.notification?.payload == "first")
        }
    }

    @Test func aMessageRightBehindAnAnswerIsNotLeftInTheBuffer() async throws {
        try await Database().withConnection { (connection) async throws in
            let messages = connection.notifications
            try await connection.execute("LISTEN self")
            // A session's own message comes between its statement's answer and the next.
            for number in 1...200 {
                try await connection.notify("self", "\(number)")
                #expect(try await messages.next()?.notification?.payload == "\(number)")
            }
        }
    }

    @Test func aForLoopEndsWhenThePoolCloses() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            let greenlet = Greenlet.spawn { () async throws in
                var payloads: [String] = []
                for try await event in try await pool.listen("orders") {
                    payloads.append(event.notification?.payload ?? "?")
                }
                return payloads
            }
            #expect(try await eventually { pool.listener?.channels.active == ["orders"] })
            try await pool.notify("orders", "one")
            #expect(try await eventually { pool.listener?.channels.subscribers.isEmpty == false })
            let start = reactor.now
            await pool.close()
            #expect(start.duration(to: reactor.now) < .seconds(9))
            _ = try await greenlet.get()
            #expect(try await watcher.sessions() == 0)
            let error = try await failure { _ = try await pool.listen("orders") }
            #expect(error.code == .poolClosed)
        }
    }

    @Test func synchronousCodeListensByAHandlerAndByALoop() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            let seen = Seen()
            let handler = Greenlet.spawn { () throws in
                try pool.listen("orders") { event in seen.payloads.append(event.notification?.payload ?? "?")
                }
            }
            let loop = Greenlet.spawn { () throws in
                let events = try pool.listen("orders")
                return try events.next()?.notification?.payload
            }
            #expect(try await eventually { pool.listener?.channels.subscribers.count == 2 })
            #expect(try await eventually { pool.listener?.channels.active == ["orders"] })
            let sender = Greenlet.spawn { () throws in try pool.notify("orders", "one") }
            try await sender.get()
            #expect(try await loop.get() == "one")
            #expect(try await eventually { seen.payloads == ["one"] })
            handler.cancel()
            #expect(try await handler.join())
            // Nobody wants the channel any more.
            #expect(try await eventually { pool.listener?.channels.active.isEmpty == true })
        }
    }

    @Test func aCallbackIsCalledUntilItIsCancelled() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            let seen = Seen()
            let subscription = pool.subscribe("orders", onEnd: { seen.endings.append($0) }) { event in
                seen.payloads.append(event.notification?.payload ?? "?")
            }
            #expect(try await eventually { pool.listener?.channels.active == ["orders"] })
            try await pool.notify("orders", "one")
            #expect(try await eventually { seen.payloads == ["one"] })
            subscription.cancel()
            #expect(try await eventually { seen.endings.count == 1 && seen.endings[0] == nil })
            try await pool.notify("orders", "two")
            #expect(try await eventually { pool.listener?.channels.active.isEmpty == true })
            #expect(seen.payloads == ["one"])
            _ = pool.subscribe("", onEnd: { seen.endings.append($0) }) { _ in }
            #expect(try await eventually { seen.endings.count == 2 })
            #expect(seen.endings[1] is PostgresValueError)
        }
    }

    @Test func leavingInAnyWayUnlistens() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            var first: PostgresNotificationEvents? = try await pool.listen("a", "b")
            let second = try await pool.listen("b")
            let channels = try #require(pool.listener?.channels)
            #expect(channels.active == ["a", "b"])
            _ = first
            first = nil
            #expect(try await eventually { channels.active == ["b"] })
            second.close()
            #expect(try await second.next() == nil)
            #expect(try await eventually { channels.active.isEmpty })
            let greenlet = Greenlet.spawn { () async throws in
                for try await _ in try await pool.listen("c") {}
            }
            #expect(try await eventually { channels.active == ["c"] })
            greenlet.cancel()
            #expect(try await greenlet.join())
            #expect(try await eventually { channels.active.isEmpty && channels.subscribers.isEmpty })
        }
    }

    @Test func aSlowConsumerIsToldHowMuchItMissed() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            let slow = try await pool.listen("orders", buffer: 10)
            let fast = try await pool.listen("orders")
            for number in 1...25 { try await pool.notify("orders", "\(number)") }
            for _ in 1...25 { _ = try await fast.next() }
            #expect(try await slow.next() == .dropped(15))
            for number in 16...25 { #expect(try await slow.next()?.notification?.payload == "\(number)") }
        }
    }

    @Test func namesThatAreNoChannelsAreRefused() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            for name in ["", String(repeating: "x", count: 64), "a\0b"] {
                await #expect(throws: PostgresValueError.self) { _ = try await pool.listen(name) }
            }
            let longest = String(repeating: "é", count: 31) + "x"
            let events = try await pool.listen(longest)
            try await pool.notify(longest, "here")
            #expect(try await events.next()?.notification?.payload == "here")
        }
    }

    @Test func aConnectThatCannotSucceedIsToldAtOnce() async throws {
        let configuration = try Database().configuration.withDatabase("no_such_database")
        try await withReactor { (_) async throws in
            let pool = PostgresPool(configuration)
            let error = try await failure { _ = try await pool.listen("orders") }
            #expect(error.code == .connectFailed && error.sqlState == .invalidCatalogName)
            await pool.close()
        }
    }

    @Test func aConnectionOfYourOwnHasItsNotifications() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, watcher) async throws in
            var escaped: PostgresNotificationEvents?
            try await pool.withConnection { connection in
                let messages = connection.notifications
                escaped = connection.notifications
                try await connection.execute("LISTEN orders")
                try await pool.notify("orders", "one")
                #expect(try await messages.next()?.notification?.payload == "one")
                try await connection.notify("orders", "two")
                #expect(try await messages.next()?.notification?.payload == "two")
            }
            #expect(try await escaped?.next()?.notification?.payload == "one")
            #expect(try await escaped?.next()?.notification?.payload == "two")
            #expect(try await escaped?.next() == nil)
            let connection = try await PostgresConnection.connect(pool.configuration)
            let messages = connection.notifications
            try await watcher.terminateAll()
            let error = try await failure { _ = try await messages.next() }
            #expect(error.code == .connectionLost)
            await connection.close()
            let again = try await failure { _ = try await connection.notifications.next() }
            #expect(again.code == .connectionLost)
        }
    }
}

@ReactorActor private final class Seen {
    var payloads: [String] = []
    var endings: [(any Error)?] = []
}
