import CLinux
import Glibc

/// A mutex and one condition to wait for under it, for threads that may block. Time-outs are of CLOCK_MONOTONIC.
final class ThreadMonitor: @unchecked Sendable {  // pointers are set once, POSIX guards the rest
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` with the mutex held.
    func withLock<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Waits for a `signal` or `broadcast`, or for nothing at all: the caller looks again. The mutex is held
    /// before and after.
    func wait() { pthread_cond_wait(condition, mutex) }

    /// As `wait()`, until `deadline` in nanoseconds of CLOCK_MONOTONIC at most. Returns whether it has passed.
    func wait(until deadline: Int64) -> Bool {
        var limit = clinux_timespec(deadline)
        return pthread_cond_timedwait(condition, mutex, &limit) == ETIMEDOUT
    }

    /// Wakes one waiter.
    func signal() { pthread_cond_signal(condition) }

    /// Wakes every waiter.
    func broadcast() { pthread_cond_broadcast(condition) }
}
