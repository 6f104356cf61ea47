import CLinux
import Glibc

/// A POSIX thread. Unchecked: `thread` is written by the initialiser alone.
final class PosixThread: @unchecked Sendable {
    private(set) var thread = pthread_t()

    init(_ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        let code = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()  // retained just below
                return nil
            }, Unmanaged.passRetained(Box(body)).toOpaque())
        precondition(code == 0, "pthread_create failed: \(code)")
    }

    func join() { pthread_join(thread, nil) }
    func detach() { pthread_detach(thread) }
}

/// Memory of a POSIX object, whose address matters. Unchecked: POSIX guards what it points to.
final class PosixObject<Object>: @unchecked Sendable {
    let address = UnsafeMutablePointer<Object>.allocate(capacity: 1)
    private let destroy: (UnsafeMutablePointer<Object>) -> Void

    init(
        make: (UnsafeMutablePointer<Object>) -> Int32,
        destroy: @escaping (UnsafeMutablePointer<Object>) -> Int32
    ) {
        let code = make(address)
        precondition(code == 0, "the object could not be made: \(code)")
        self.destroy = { _ = destroy($0) }
    }

    deinit {
        destroy(address)
        address.deallocate()
    }
}

typealias Mutex = PosixObject<pthread_mutex_t>
typealias Condition = PosixObject<pthread_cond_t>
typealias ReadWriteLock = PosixObject<pthread_rwlock_t>
typealias Semaphore = PosixObject<sem_t>

enum MutexType: Int32, CaseIterable {
    case normal = 0
    case recursive = 1
    case errorcheck = 2
    case adaptive = 3
}

extension PosixObject where Object == pthread_mutex_t {
    convenience init(_ type: MutexType = .normal) {
        self.init(
            make: { address in
                var attributes = pthread_mutexattr_t()
                pthread_mutexattr_init(&attributes)
                pthread_mutexattr_settype(&attributes, type.rawValue)
                defer { pthread_mutexattr_destroy(&attributes) }
                return pthread_mutex_init(address, &attributes)
            }, destroy: pthread_mutex_destroy)
    }

    @discardableResult func lock() -> Int32 { pthread_mutex_lock(address) }
    func tryLock() -> Int32 { pthread_mutex_trylock(address) }
    @discardableResult func unlock() -> Int32 { pthread_mutex_unlock(address) }
}

extension PosixObject where Object == pthread_cond_t {
    convenience init(clock: clockid_t = CLOCK_REALTIME, isShared: Bool = false) {
        self.init(
            make: { address in
                var attributes = pthread_condattr_t()
                pthread_condattr_init(&attributes)
                pthread_condattr_setclock(&attributes, clock)
                pthread_condattr_setpshared(&attributes, isShared ? 1 : 0)
                defer { pthread_condattr_destroy(&attributes) }
                return pthread_cond_init(address, &attributes)
            }, destroy: pthread_cond_destroy)
    }

    func wait(_ mutex: Mutex) -> Int32 { pthread_cond_wait(address, mutex.address) }

    func wait(_ mutex: Mutex, until limit: timespec) -> Int32 {
        var limit = limit
        return pthread_cond_timedwait(address, mutex.address, &limit)
    }

    func signal() { pthread_cond_signal(address) }
    func broadcast() { pthread_cond_broadcast(address) }
}

extension PosixObject where Object == pthread_rwlock_t {
    convenience init() {
        self.init(make: { pthread_rwlock_init($0, nil) }, destroy: pthread_rwlock_destroy)
    }

    @discardableResult func lockForReading() -> Int32 { pthread_rwlock_rdlock(address) }
    @discardableResult func lockForWriting() -> Int32 { pthread_rwlock_wrlock(address) }
    @discardableResult func unlock() -> Int32 { pthread_rwlock_unlock(address) }
}

extension PosixObject where Object == sem_t {
    convenience init(_ value: UInt32 = 0) {
        self.init(make: { sem_init($0, 0, value) }, destroy: sem_destroy)
    }

    /// 0, or the error number.
    func wait() -> Int32 { sem_wait(address) == 0 ? 0 : errno }
    func post() { sem_post(address) }
}

/// The moment `milliseconds` from now, by `clock`.
func time(in milliseconds: Int, by clock: clockid_t = CLOCK_REALTIME) -> timespec {
    var now = timespec()
    clock_gettime(clock, &now)
    let nanoseconds = now.tv_nsec + milliseconds * 1_000_000
    return timespec(
        tv_sec: now.tv_sec + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
}
