import Greenlets
import Measuring
import Postgres
import ReactorCore

/// How late a 10 ms ticker is in the worst of a thousand turns, in milliseconds, while 1,000 greenlets wait for the server and
/// 64 query flat out.
let latenessBenchmarks = [
    Benchmark("ticker-lateness") {
        let sleepers = PostgresPool(
            try Setting.database, .init(label: "sleepers", maximum: 1000, acquireTimeout: .seconds(60)))
        let selects = PostgresPool(try Setting.database, .init(label: "selects", maximum: 16))
        let waiting = (0..<1000).map { _ in
            Greenlet.spawn { () async throws in
                while true { _ = try await sleepers.execute("SELECT pg_sleep(1)") }
            }
        }
        while sleepers.statistics.counts.borrowed < 1000 { try await reactor.sleep(for: .milliseconds(50)) }
        let busy = (0..<64).map { _ in
            Greenlet.spawn { () async throws in while true { _ = try await balance(selects) } }
        }
        var late: [Duration] = []
        let period = Duration.milliseconds(10)
        var due = reactor.now.advanced(by: period)
        let end = reactor.now.advanced(by: Setting.duration * 7)
        while due < end {
            try await reactor.sleep(for: max(.zero, reactor.now.duration(to: due)))
            late.append(due.duration(to: reactor.now))
            due = due.advanced(by: period)
        }
        for greenlet in waiting + busy { greenlet.cancel() }
        for greenlet in waiting + busy { _ = try await greenlet.join() }
        await sleepers.close(grace: .zero)
        await selects.close(grace: .zero)
        late.sort()
        return late[min(late.count - 1, late.count * 999 / 1000)] / .milliseconds(1)
    }
]
