import BlockingShims
import Glibc
import Measuring
import ReactorCore

/// What a shim adds to a call that returns at once, off fibers (`NAME-shim`), and what the call itself takes (`NAME-libc`).
let offFiberBenchmarks =
    pair("recv") {
        SideBySide(shim: recv, libc: BlockingShims.original(\.recv)) { recv, count in
            var byte: UInt8 = 0
            for _ in 0..<count { _ = recv(-1, &byte, 1, 0) }
        }
    }
    + pair("send") {
        SideBySide(shim: send, libc: BlockingShims.original(\.send)) { send, count in
            var byte: UInt8 = 0
            for _ in 0..<count { _ = send(-1, &byte, 1, 0) }
        }
    }
    + pair("read") {
        SideBySide(shim: read, libc: BlockingShims.original(\.read)) { read, count in
            var byte: UInt8 = 0
            for _ in 0..<count { _ = read(-1, &byte, 1) }
        }
    }
    + pair("poll") {
        SideBySide(shim: poll, libc: BlockingShims.original(\.poll)) { poll, count in
            for _ in 0..<count { _ = poll(nil, 0, 0) }
        }
    }
    + pair("mutex") {
        typealias Call = @convention(c) (UnsafeMutablePointer<pthread_mutex_t>) -> Int32
        let libc: (Call, Call) = (
            BlockingShims.original(\.pthread_mutex_lock), BlockingShims.original(\.pthread_mutex_unlock)
        )
        return SideBySide(shim: (pthread_mutex_lock, pthread_mutex_unlock), libc: libc) { calls, count in
            var mutex = pthread_mutex_t()
            for _ in 0..<count / 2 {  // a pair is two calls
                _ = calls.0(&mutex)
                _ = calls.1(&mutex)
            }
        }
    }
    + pair("condition") {
        typealias Signal = @convention(c) (UnsafeMutablePointer<pthread_cond_t>) -> Int32
        // A row of the table in every build but those with the thread sanitizer, which nobody measures.
        let libc = BlockingShims.original("pthread_cond_signal", as: Signal.self)!
        return SideBySide(shim: pthread_cond_signal, libc: libc) { signal, count in
            var condition = pthread_cond_t()
            for _ in 0..<count { _ = signal(&condition) }
        }
    }

private func pair<Function>(
    _ name: String, _ make: @escaping @ReactorActor () -> SideBySide<Function>
) -> [Benchmark] {
    [
        Benchmark("\(name)-shim", figure: { make().nanosecondsOfTheShim }),
        Benchmark("\(name)-libc", figure: { make().nanosecondsOfLibc }),
    ]
}
