import Greenlets
import Measuring
import ReactorCore

/// Fibers that make fibers, and fibers that hand over to each other.
let fiberBenchmarks = [
    Benchmark("fiber-spawn-join") { count in
        try await Greenlet.spawn {
            for number in 0..<count {
                let greenlet = Greenlet.spawn { number }
                _ = try greenlet.get()
            }
        }.get()
    },
    // A permit goes to and fro: each hand-over parks one fiber and wakes the other.
    Benchmark("fiber-park-wake", minimumCount: 2) { count in
        let (ping, pong) = (GreenletSemaphore(0), GreenletSemaphore(0))
        let other = Greenlet.spawn {
            for _ in 0..<count / 2 {
                try ping.acquire()
                try pong.release()
            }
        }
        let one = Greenlet.spawn {
            for _ in 0..<count / 2 {
                try ping.release()
                try pong.acquire()
            }
        }
        try await one.get()
        try await other.get()
    },
]
