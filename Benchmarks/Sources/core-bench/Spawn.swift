import Greenlets
import Measuring
import ReactorCore

/// Making greenlets: one at a time and waiting for its value, or a thousand that nobody waits for.
let spawnBenchmarks = [
    Benchmark("spawn-join") { count in
        for number in 0..<count {
            let greenlet = Greenlet.spawn { () async -> Int in number }
            _ = try await greenlet.get()
        }
    },
    Benchmark("spawn-join-sync") { count in
        for number in 0..<count {
            let greenlet = Greenlet.spawn { number }
            _ = try await greenlet.get()
        }
    },
    Benchmark("spawn", minimumCount: 1000) { count in
        let ended = Counter()
        for _ in 0..<count / 1000 {
            for _ in 0..<1000 { _ = Greenlet.spawn { () async in ended.increment() } }
            while ended.value < 1000 { await reactor.yield() }
            ended.value = 0
        }
    },
    Benchmark("spawn-sync", minimumCount: 1000) { count in
        let ended = Counter()
        for _ in 0..<count / 1000 {
            for _ in 0..<1000 { _ = Greenlet.spawn { ended.increment() } }
            while ended.value < 1000 { await reactor.yield() }
            ended.value = 0
        }
    },
    Benchmark("defer-to-greenlet") { count in
        for number in 0..<count { _ = try await deferToGreenlet { () async -> Int in number }.value }
    },
    Benchmark("defer-to-greenlet-sync") { count in
        for number in 0..<count { _ = try await deferToGreenlet { number }.value }
    },
]

@ReactorActor
private final class Counter {
    var value = 0
    func increment() { value += 1 }
}
