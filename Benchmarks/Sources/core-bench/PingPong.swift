import Greenlets
import Measuring

/// A value sent to another greenlet and one sent back, over two channels that hold nothing: two hand-overs
/// and two switches.
let pingPongBenchmarks = [
    Benchmark("ping-pong") { count in
        let (ping, pong) = (Channel<Int>(), Channel<Int>())
        let echo = Greenlet.spawn { () async throws in
            for _ in 0..<count { try await pong.send(try await ping.receive()) }
        }
        let player = Greenlet.spawn { () async throws in
            for number in 0..<count {
                try await ping.send(number)
                _ = try await pong.receive()
            }
        }
        try await player.get()
        try await echo.get()
    },
    Benchmark("ping-pong-sync") { count in
        let (ping, pong) = (Channel<Int>(), Channel<Int>())
        let echo = Greenlet.spawn {
            for _ in 0..<count { try pong.send(try ping.receive()) }
        }
        let player = Greenlet.spawn {
            for number in 0..<count {
                try ping.send(number)
                _ = try pong.receive()
            }
        }
        try await player.get()
        try await echo.get()
    },
]
