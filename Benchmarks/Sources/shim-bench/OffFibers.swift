import BlockingShims
import Glibc
import Measuring

/// Calls that return at once, off fibers: `NAME` through the shim, `NAME-libc` without. What the two differ by is the shim.
let offFiberBenchmarks = [
    Benchmark("recv-bad-descriptor") { count in
        var byte: UInt8 = 0
        for _ in 0..<count { _ = recv(-1, &byte, 1, 0) }
    },
    Benchmark("recv-bad-descriptor-libc") { count in
        let recv = BlockingShims.original(\.recv)
        var byte: UInt8 = 0
        for _ in 0..<count { _ = recv(-1, &byte, 1, 0) }
    },
    Benchmark("poll-nothing") { count in
        for _ in 0..<count { _ = poll(nil, 0, 0) }
    },
    Benchmark("poll-nothing-libc") { count in
        let poll = BlockingShims.original(\.poll)
        for _ in 0..<count { _ = poll(nil, 0, 0) }
    },
    Benchmark("mutex") { count in
        let mutex = makeMutex()
        for _ in 0..<count {
            _ = pthread_mutex_lock(mutex)
            _ = pthread_mutex_unlock(mutex)
        }
        mutex.deallocate()
    },
    Benchmark("mutex-libc") { count in
        let mutex = makeMutex()
        let (lock, unlock) = (
            BlockingShims.original(\.pthread_mutex_lock), BlockingShims.original(\.pthread_mutex_unlock)
        )
        for _ in 0..<count {
            _ = lock(mutex)
            _ = unlock(mutex)
        }
        mutex.deallocate()
    },
    Benchmark("condition-signal") { count in
        let condition = makeCondition()
        for _ in 0..<count { _ = pthread_cond_signal(condition) }
        condition.deallocate()
    },
    Benchmark("condition-signal-libc") { count in
        let condition = makeCondition()
        typealias Signal = @convention(c) (UnsafeMutablePointer<pthread_cond_t>) -> Int32
        // A row of the table in every build but those with the thread sanitizer, which nobody measures.
        let signal = BlockingShims.original("pthread_cond_signal", as: Signal.self)!
        for _ in 0..<count { _ = signal(condition) }
        condition.deallocate()
    },
]

private func makeMutex() -> UnsafeMutablePointer<pthread_mutex_t> {
    let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    return mutex
}

private func makeCondition() -> UnsafeMutablePointer<pthread_cond_t> {
    let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    pthread_cond_init(condition, nil)
    return condition
}
