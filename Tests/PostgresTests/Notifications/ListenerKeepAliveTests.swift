import Glibc
import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// A listener whose server falls silent. The clock is turned by hand, the server is real, and a proxy cuts the network.
@Suite struct ListenerKeepAliveTests {
    @ReactorActor
    private struct Line {
        let clock: ManualClock
        let proxy: ChaosProxy
        let pool: PostgresPool

        /// Turns the clock slowly enough for the server, until `condition` holds.
        func turn(until condition: @ReactorActor () -> Bool) async throws {
            for _ in 0..<60_000 where !condition() {
                clock.advance(by: .milliseconds(1))
                try await reactor.deferToThread { _ = usleep(300) }.value
            }
            #expect(condition())
        }

        /// Lets the server have its time, and the reactor none.
        func pause(until condition: @ReactorActor () -> Bool) async throws {
            for _ in 0..<100_000 where !condition() {
                try await reactor.deferToThread { _ = usleep(300) }.value
            }
            #expect(condition())
        }
    }

    private func withLine(
        _ keepAlive: Duration?, _ body: @escaping @Sendable @ReactorActor (Line, Watcher) async throws -> Void
    ) async throws {
        let database = try Database()
        let clock = ManualClock()
        try await withReactor(clock: clock) { (_) async throws in
            let watcher = try await Watcher(database.configuration)
            let directory = try #require(database.configuration["host"])
            let proxy = try ChaosProxy(before: directory)
            var configuration = database.configuration
            configuration["host"] = proxy.directory
            var options = PostgresPoolOptions(label: "keep-alive", maximum: 1)
            options.listenerKeepAlive = keepAlive
            let line = Line(clock: clock, proxy: proxy, pool: PostgresPool(configuration, options))
            try await body(line, watcher)
            line.proxy.fault = .none
            let closing = Greenlet.spawn { await line.pool.close() }
            try await line.turn { closing.isReady }
            try await proxy.close()
            await watcher.connection.close()
        }
    }

    @Test func aSilentNetworkIsNoticedAndEverybodyIsToldOnceItIsBack() async throws {
        try await withLine(.seconds(20)) { (line, _) async throws in
            let events = try await line.pool.listen("a")
            let waiting = Greenlet.spawn { () async throws in try await events.next() }
            // Not a byte, not even an end, from now on.
            line.proxy.fault = .stalled
            line.clock.advance(by: .seconds(19))
            await reactor.yield()
            #expect(line.pool.listener?.lastFailure == nil && line.proxy.accepted == 1)
            line.clock.advance(by: .seconds(1))
            await reactor.yield()
            try await line.turn { line.proxy.accepted > 1 }
            #expect(!waiting.isReady)
            line.proxy.fault = .none
            try await line.turn { waiting.isReady }
            let event = try await waiting.get()
            #expect(event == .reconnected)
        }
    }

    @Test func aServerThatAnswersIsKept() async throws {
        try await withLine(.seconds(20)) { (line, _) async throws in
            let events = try await line.pool.listen("a")
            let listener = try #require(line.pool.listener)
            for round in 1...5 {
                line.clock.advance(by: .seconds(20))
                try await line.pause { listener.answers == round }
            }
            #expect(line.proxy.accepted == 1)
            events.close()
        }
    }

    @Test func aMessageIsAnswerEnough() async throws {
        try await withLine(.seconds(20)) { (line, watcher) async throws in
            let events = try await line.pool.listen("a")
            let sender = try await PostgresConnection.connect(line.pool.configuration)
            for number in 0..<4 {
                line.clock.advance(by: .seconds(15))
                try await sender.notify("a", "\(number)")
                let event = try await events.next()
                #expect(event?.notification?.payload == "\(number)")
            }
            #expect(line.pool.listener?.answers == 0)
            await sender.close()
            events.close()
        }
    }

    @Test func withoutKeepAliveNobodyIsAsked() async throws {
        try await withLine(nil) { (line, _) async throws in
            let events = try await line.pool.listen("a")
            let calls = reactor.delayedCallCount
            line.clock.advance(by: .seconds(86_400))
            for _ in 0..<10 { await reactor.yield() }
            #expect(line.pool.listener?.answers == 0 && reactor.delayedCallCount <= calls)
            events.close()
        }
    }
}
