import CBlockingShims
import Glibc
import Testing

/// C11's names for the same things; Swift's module map leaves <threads.h> out, so by symbol.
@Suite(.enabled(if: shimsThreads)) struct C11Tests {
    private typealias One = @convention(c) (UnsafeMutableRawPointer) -> Int32
    private typealias Two = @convention(c) (UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Int32
    private typealias Timed = @convention(c) (UnsafeMutableRawPointer, UnsafePointer<timespec>) -> Int32
    private typealias TimedTwo =
        @convention(c) (
            UnsafeMutableRawPointer, UnsafeMutableRawPointer, UnsafePointer<timespec>
        ) -> Int32

    @Test func mutexAndConditionParkAsPosixOnes() {
        let (mutex, condition) = (Mutex(), Condition())
        let (lock, unlock) = (symbol("mtx_lock", as: One.self), symbol("mtx_unlock", as: One.self))
        let tryLock = symbol("mtx_trylock", as: One.self)
        let timedLock = symbol("mtx_timedlock", as: Timed.self)
        let wait = symbol("cnd_wait", as: Two.self)
        let timedWait = symbol("cnd_timedwait", as: TimedTwo.self)
        #expect(lock(mutex.address) == 0)
        let scheduler = onFiber { scheduler in
            var limit = time(in: 200)
            #expect(tryLock(mutex.address) == 1, "thrd_busy")
            #expect(timedLock(mutex.address, &limit) == 4, "thrd_timedout")
            scheduler.whenParked = [{ _ = unlock(mutex.address) }]
            #expect(lock(mutex.address) == 0)
            limit = time(in: 200)
            #expect(timedWait(condition.address, mutex.address, &limit) == 4)
            for name in ["cnd_signal", "cnd_broadcast"] {
                scheduler.whenParked = [{ _ = symbol(name, as: One.self)(condition.address) }]
                #expect(wait(condition.address, mutex.address) == 0)
            }
            #expect(unlock(mutex.address) == 0)
        }
        #expect(scheduler.parks.count == 5)
    }

    @Test func offFibersTheyAreLibcs() {
        let mutex = Mutex()
        let tryLock = symbol("mtx_trylock", as: One.self)
        #expect(symbol("mtx_lock", as: One.self)(mutex.address) == 0)
        #expect(tryLock(mutex.address) == 1)
        #expect(symbol("mtx_unlock", as: One.self)(mutex.address) == 0)
        #expect(tryLock(mutex.address) == 0)
        #expect(symbol("mtx_unlock", as: One.self)(mutex.address) == 0)
    }
}
