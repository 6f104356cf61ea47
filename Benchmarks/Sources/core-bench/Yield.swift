import Greenlets
import Measuring

/// Two greenlets that give way to each other; the cost of one of their yields.
let yieldBenchmarks = [
    Benchmark("yield", minimumCount: 2) { count in
        let greenlets = (0..<2).map { _ in
            Greenlet.spawn { () async in
                for _ in 0..<count / 2 { await Greenlet.yield() }
            }
        }
        for greenlet in greenlets { try await greenlet.get() }
    },
    Benchmark("yield-sync", minimumCount: 2) { count in
        let greenlets = (0..<2).map { _ in
            Greenlet.spawn {
                for _ in 0..<count / 2 { try Greenlet.yield() }
            }
        }
        for greenlet in greenlets { try await greenlet.get() }
    },
    Benchmark("sleep-zero") { count in
        let greenlet = Greenlet.spawn { () async throws in
            for _ in 0..<count { try await Greenlet.sleep(for: .zero) }
        }
        try await greenlet.get()
    },
    Benchmark("sleep-zero-sync") { count in
        let greenlet = Greenlet.spawn {
            for _ in 0..<count { try Greenlet.sleep(for: .zero) }
        }
        try await greenlet.get()
    },
]
