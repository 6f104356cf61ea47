import CBlockingShims
import CLinux
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite(.enabled(if: shimsThreads)) struct ReadWriteLockTests {
    @Test func readersShareAndAWriterWaitsForThem() {
        let lock = ReadWriteLock()
        lock.lockForReading()
        let scheduler = onFiber { scheduler in
            #expect(lock.lockForReading() == 0)
            #expect(scheduler.parks.isEmpty)
            lock.unlock()
            scheduler.whenParked = [{ lock.unlock() }]
            #expect(lock.lockForWriting() == 0)
            #expect(pthread_rwlock_tryrdlock(lock.address) == EBUSY)
            #expect(lock.unlock() == 0)
        }
        #expect(scheduler.parks.count == 1)
    }

    @Test func readerWaitsForTheWriter() {
        let lock = ReadWriteLock()
        lock.lockForWriting()
        let scheduler = onFiber { scheduler in
            scheduler.whenParked = [{ lock.unlock() }]
            #expect(lock.lockForReading() == 0)
            lock.unlock()
        }
        #expect(scheduler.parks == [.init(deadline: .max, isKillable: false)])
    }

    @Test(arguments: [true, false])
    func triesNeverPark(isOnFiber: Bool) {
        let lock = ReadWriteLock()
        func check() {
            #expect(pthread_rwlock_trywrlock(lock.address) == 0)
            #expect(pthread_rwlock_trywrlock(lock.address) == EBUSY)
            #expect(pthread_rwlock_tryrdlock(lock.address) == EBUSY)
            lock.unlock()
            #expect(pthread_rwlock_tryrdlock(lock.address) == 0)
            #expect(pthread_rwlock_trywrlock(lock.address) == EBUSY)
            lock.unlock()
        }
        let scheduler = onFiber { _ in if isOnFiber { check() } }
        if !isOnFiber { check() }
        #expect(scheduler.parks.isEmpty && scheduler.sleeps.isEmpty)
    }

    @Test(arguments: [CLOCK_REALTIME, CLOCK_MONOTONIC], [true, false])
    func limitEndsTheWait(clock: clockid_t, isWriter: Bool) {
        let lock = ReadWriteLock()
        lock.lockForWriting()
        onFiber { _ in
            var limit = time(in: 30, by: clock)
            let address = lock.address
            let run = timed {
                switch (clock, isWriter) {
                case (CLOCK_REALTIME, true): pthread_rwlock_timedwrlock(address, &limit)
                case (CLOCK_REALTIME, false): pthread_rwlock_timedrdlock(address, &limit)
                case (_, true): lock.call("pthread_rwlock_clockwrlock", clock, &limit)
                case (_, false): lock.call("pthread_rwlock_clockrdlock", clock, &limit)
                }
            }
            #expect(run.result == ETIMEDOUT)
            #expect(run.seconds >= 0.029)
        }
        lock.unlock()
    }

    @Test func greenletsReadTogetherAndWriteAlone() async throws {
        try await withReactor { _ in
            let lock = ReadWriteLock()
            var (readers, writers, mostReaders) = (0, 0, 0)
            let greenlets = (0..<30).map { number in
                Greenlet.spawn {
                    for _ in 0..<5 {
                        if number % 5 == 0 {
                            lock.lockForWriting()
                            writers += 1
                            #expect(writers == 1 && readers == 0)
                            usleep(0)
                            writers -= 1
                        } else {
                            lock.lockForReading()
                            readers += 1
                            mostReaders = max(mostReaders, readers)
                            #expect(writers == 0)
                            usleep(0)
                            readers -= 1
                        }
                        lock.unlock()
                    }
                }
            }
            for greenlet in greenlets { try await greenlet.get() }
            #expect(mostReaders > 1)
        }
    }
}
