import Greenlets
import Measuring
import ReactorCore

/// Timers that are taken back, as most time-outs are, and timers that wake somebody.
let timerBenchmarks = [
    // Taken back in the turn that made them. Cancelled calls are cleared away when they are many: too small
    // a count would not pay for it.
    Benchmark(
        "call-later-cancel", minimumCount: 100_000, setUp: PendingCalls.make, tearDown: PendingCalls.cancel
    ) { count in
        for turn in 0..<count / 100 {
            for number in 0..<100 { try reactor.callLater(.seconds(10 + (turn + number) % 91)) {}.cancel() }
            try await reactor.sleep(for: .zero)
        }
    },
    // Taken back one turn later.
    Benchmark(
        "call-later-turn-cancel", minimumCount: 100_000, setUp: PendingCalls.make,
        tearDown: PendingCalls.cancel
    ) { count in
        var made: [DelayedCall] = []
        for turn in 0..<count / 100 {
            for call in made { try call.cancel() }
            made.removeAll(keepingCapacity: true)
            for number in 0..<100 { made.append(reactor.callLater(.seconds(10 + (turn + number) % 91)) {}) }
            try await reactor.sleep(for: .zero)
        }
        for call in made { try call.cancel() }
    },
    Benchmark("timer-wake", minimumCount: 1000) { count in
        try await sleepers(count) { number in
            Greenlet.spawn { () async throws in
                for _ in 0..<count / 1000 { try await Greenlet.sleep(for: .microseconds(1000 + number)) }
            }
        }
    },
    Benchmark("timer-wake-sync", minimumCount: 1000) { count in
        try await sleepers(count) { number in
            Greenlet.spawn {
                for _ in 0..<count / 1000 { try Greenlet.sleep(for: .microseconds(1000 + number)) }
            }
        }
    },
]

/// The hundred thousand that are pending meanwhile.
@ReactorActor
private enum PendingCalls {
    private static var calls: [DelayedCall] = []

    static func make() { calls = (0..<100_000).map { reactor.callLater(.seconds(1000 + $0 % 997)) {} } }

    static func cancel() {
        for call in calls { call.cancelIfActive() }
        calls = []
    }
}

/// Waits for a thousand greenlets, each of which sleeps a little longer than the one before.
@ReactorActor
private func sleepers(_ count: Int, _ spawn: (Int) -> Greenlet<Void>) async throws {
    for greenlet in (0..<1000).map(spawn) { try await greenlet.get() }
}
