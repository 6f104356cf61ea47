import BlockingShims
import CLibPQ
import CLinux
import Glibc
import Greenlets
import LocalPostgres
import ReactorCore
import ReactorTesting
import Testing

/// libpq's synchronous API, unmodified: a library that never heard of greenlets.
@Suite struct LibPQTests {
    @Test func tenSynchronousConnectionsSleepTogetherOnOneThread() async throws {
        let url = try LocalCluster.shared().url
        try await withReactor { reactor in
            let thread = pthread_self()
            var ticks = 0
            let ticker = Greenlet.spawn { () async throws in
                while true {
                    try await reactor.sleep(for: .milliseconds(10))
                    ticks += 1
                }
            }
            var sleeping = 0
            let greenlets = (0..<10).map { number in
                Greenlet.spawn { () throws -> Int in
                    let connection = try SynchronousConnection(url)
                    sleeping += 1
                    let before = ticks
                    // Until all ten do: one after the other they would sleep for ever.
                    while sleeping < 10 { _ = try connection.integer("select 0 from pg_sleep(0.1)") }
                    let value = try connection.integer("select \(number) from pg_sleep(1)")
                    #expect(ticks > before, "the loop is free meanwhile")
                    #expect(pthread_equal(pthread_self(), thread) != 0)
                    return value
                }
            }
            var values: [Int] = []
            for greenlet in greenlets { values.append(try await greenlet.get()) }
            #expect(values == Array(0..<10))
            #expect(reactor.threadPool.threadCount == 0, "nothing was handed to another thread")
            try await ticker.kill()
        }
    }

    @Test func killedGreenletsQueryFailsAndTheConnectionIsClosed() async throws {
        let url = try LocalCluster.shared().url
        try await withReactor { reactor in
            var failure: (any Error)?
            var isConnected = false
            let greenlet = Greenlet.spawn {
                let connection = try SynchronousConnection(url)
                isConnected = true
                do { _ = try connection.integer("select 1 from pg_sleep(60)") } catch { failure = error }
                try Greenlet.yield()
            }
            while !isConnected { try await reactor.sleep(for: .milliseconds(10)) }
            try await reactor.sleep(for: .milliseconds(50))
            let start = reactor.now
            try await greenlet.kill()
            #expect(start.duration(to: reactor.now) < .seconds(30), "it would have waited for 60 s")
            #expect(failure is SynchronousConnection.Failure)
            await #expect(throws: GreenletExit.self) { try await greenlet.get() }
        }
    }
}

/// PQconnectdb, PQexec, PQfinish.
private final class SynchronousConnection {
    struct Failure: Error { var message: String }

    private let connection: OpaquePointer?

    init(_ url: String) throws {
        connection = PQconnectdb(url)
        guard PQstatus(connection) == CONNECTION_OK else { throw lastFailure }
    }

    deinit { PQfinish(connection) }

    func integer(_ query: String) throws -> Int {
        let result = PQexec(connection, query)
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK, let text = PQgetvalue(result, 0, 0) else {
            throw lastFailure
        }
        return Int(String(cString: text)) ?? -1
    }

    private var lastFailure: Failure { Failure(message: String(cString: PQerrorMessage(connection))) }
}
