import BlockingShims
import Glibc
import Greenlets
import Measuring
import ReactorCore

/// A byte sent to another greenlet and one sent back, over socket pairs; per round trip of one of the two.
let socketBenchmarks = [
    // Ten thousand fibers, a hundred round trips each at least, by libc's send and recv.
    Benchmark("sockets", minimumCount: 1_000_000) { count in
        try await play(pairs: 5_000, roundTrips: count / 10_000) { pair, roundTrips in
            [
                Greenlet.spawn { for _ in 0..<roundTrips { exchange(pair.0) } },
                Greenlet.spawn { for _ in 0..<roundTrips { echo(pair.1) } },
            ]
        }
    },
    // Two of them, and two tasks that wait by the reactor.
    Benchmark("recv-in-fiber", minimumCount: 2) { count in
        try await play(pairs: 1, roundTrips: count / 2) { pair, roundTrips in
            [
                Greenlet.spawn { for _ in 0..<roundTrips { exchange(pair.0) } },
                Greenlet.spawn { for _ in 0..<roundTrips { echo(pair.1) } },
            ]
        }
    },
    Benchmark("async-wait", minimumCount: 2) { count in
        try await play(pairs: 1, roundTrips: count / 2) { pair, roundTrips in
            for fd in [pair.0, pair.1] { _ = fcntl(fd, F_SETFL, O_NONBLOCK) }
            return [
                Greenlet.spawn { () async throws in
                    for _ in 0..<roundTrips {
                        sendOne(pair.0)
                        try await receiveOne(pair.0)
                    }
                },
                Greenlet.spawn { () async throws in
                    for _ in 0..<roundTrips {
                        try await receiveOne(pair.1)
                        sendOne(pair.1)
                    }
                },
            ]
        }
    },
]

@ReactorActor
private func play(
    pairs count: Int, roundTrips: Int, _ spawn: @ReactorActor ((Int32, Int32), Int) -> [Greenlet<Void>]
) async throws {
    let pairs = (0..<count).map { _ in makePair() }
    for greenlet in pairs.flatMap({ spawn($0, roundTrips) }) { try await greenlet.get() }
    for (one, other) in pairs {
        close(one)
        close(other)
    }
}

private func makePair() -> (Int32, Int32) {
    var ends: [Int32] = [-1, -1]
    precondition(
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0,
        "no socket pair: is the limit of descriptors (ulimit -n) above 10,100?")
    return (ends[0], ends[1])
}

private func sendOne(_ fd: Int32) {
    var byte: UInt8 = 1
    precondition(send(fd, &byte, 1, 0) == 1, "a byte was not sent")
}

private func exchange(_ fd: Int32) {
    sendOne(fd)
    var byte: UInt8 = 0
    precondition(recv(fd, &byte, 1, 0) == 1, "no byte came back")
}

private func echo(_ fd: Int32) {
    var byte: UInt8 = 0
    precondition(recv(fd, &byte, 1, 0) == 1, "no byte came")
    sendOne(fd)
}

/// Tries, as a competent user would, before it waits.
@ReactorActor private func receiveOne(_ fd: Int32) async throws {
    var byte: UInt8 = 0
    while recv(fd, &byte, 1, 0) != 1 {
        precondition(errno == EAGAIN, "no byte came: errno \(errno)")
        try await Reactor.current.waitUntilReadable(fd)
    }
}
