import CBlockingShims
import CLinux
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite(.enabled(if: shimsThreads)) struct MutexTests {
    @Test(arguments: MutexType.allCases)
    func mutexOfTheFibersOwnThreadParksUntilItIsUnlocked(type: MutexType) {
        // A recursive mutex that code off fibers holds is this thread's, as libc has it: see the next test.
        guard type != .recursive else { return }
        let mutex = Mutex(type)
        mutex.lock()
        let scheduler = onFiber { scheduler in
            scheduler.whenParked = [{ mutex.unlock() }]
            #expect(mutex.lock() == 0)
            #expect(mutex.unlock() == 0)
        }
        #expect(scheduler.parks == [.init(deadline: .max, isKillable: false)])
    }

    @Test(arguments: MutexType.allCases)
    func aFreeMutexIsTakenWithoutAPark(type: MutexType) {
        let mutex = Mutex(type)
        let scheduler = onFiber { _ in
            errno = ENOENT
            #expect(mutex.lock() == 0)
            #expect(mutex.unlock() == 0)
            #expect(mutex.tryLock() == 0)
            #expect(mutex.unlock() == 0)
            #expect(errno == ENOENT)
        }
        #expect(scheduler.parks.isEmpty)
    }

    @Test func mutexOfAnotherThreadIsTakenWhenThatThreadUnlocksIt() {
        let mutex = Mutex()
        let (held, free) = (Semaphore(), Semaphore())
        let thread = PosixThread {
            mutex.lock()
            held.post()
            _ = free.wait()
            mutex.unlock()
        }
        _ = held.wait()
        let scheduler = onFiber { scheduler in
            scheduler.whenParked = [{ free.post() }]
            #expect(mutex.lock() == 0)
            #expect(mutex.unlock() == 0)
        }
        thread.join()
        #expect(!scheduler.parks.isEmpty)
    }

    @Test func mutexThatLibcItselfReleasesIsTakenWithoutAWake() {
        // The other thread releases it inside libc, by waiting for a condition.
        let (mutex, condition) = (Mutex(), Condition())
        let (held, free) = (Semaphore(), Semaphore())
        let thread = PosixThread {
            mutex.lock()
            held.post()
            _ = free.wait()
            _ = condition.wait(mutex)
            mutex.unlock()
        }
        _ = held.wait()
        onFiber { scheduler in
            scheduler.whenParked = [{ free.post() }]
            #expect(mutex.lock() == 0)
            condition.broadcast()
            #expect(mutex.unlock() == 0)
        }
        thread.join()
    }

    @Test func fiberThatHoldsALockBlocksForAnotherThreads() {
        // 100 ms are granted; a thread that has not been given that much processor by then is told to try again.
        for _ in 0..<100 {
            let (outer, mutex) = (Mutex(), Mutex())
            let held = Semaphore()
            nonisolated(unsafe) var unlocked: Int64 = 0  // read when the thread has ended
            let thread = PosixThread {
                mutex.lock()
                held.post()
                usleep(20_000)
                mutex.unlock()
                unlocked = monotonicNanoseconds()
            }
            _ = held.wait()
            let start = monotonicNanoseconds()
            let scheduler = onFiber { _ in
                outer.lock()
                #expect(mutex.lock() == 0)
                #expect(mutex.unlock() == 0)
                outer.unlock()
            }
            thread.join()
            if unlocked - start < 80_000_000 {
                #expect(scheduler.parks.isEmpty)
                return
            }
        }
        Issue.record("no thread was in time")
    }

    @Test(arguments: [CLOCK_REALTIME, CLOCK_MONOTONIC])
    func limitEndsTheWait(clock: clockid_t) {
        let mutex = Mutex()
        mutex.lock()
        onFiber { scheduler in
            var limit = time(in: 200, by: clock)
            let run = timed {
                clock == CLOCK_REALTIME
                    ? pthread_mutex_timedlock(mutex.address, &limit)
                    : mutex.call("pthread_mutex_clocklock", clock, &limit)
            }
            #expect(run.result == ETIMEDOUT)
            #expect(run.seconds >= 0.199)
            #expect(scheduler.parks.count == 1)
            limit.tv_nsec = 1_000_000_000
            #expect(pthread_mutex_timedlock(mutex.address, &limit) == EINVAL)
        }
        mutex.unlock()
        onFiber { _ in
            var limit = timespec(tv_sec: 0, tv_nsec: -1)  // not looked at: there is nothing to wait for
            #expect(pthread_mutex_timedlock(mutex.address, &limit) == 0)
            mutex.unlock()
        }
    }

    @Test func endedFiberStillGetsItsMutex() {
        let mutex = Mutex()
        mutex.lock()
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            scheduler.whenParked = [{ mutex.unlock() }]
            #expect(mutex.lock() == 0)
            mutex.unlock()
        }
    }

    @Test func recursiveMutexLetsItsOwnFiberInAgain() {
        let mutex = Mutex(.recursive)
        let scheduler = onFiber { _ in
            #expect(mutex.lock() == 0)
            #expect(mutex.lock() == 0)
            #expect(mutex.tryLock() == 0)
            for _ in 0..<3 { #expect(mutex.unlock() == 0) }
            #expect(mutex.unlock() == EPERM)
        }
        #expect(scheduler.parks.isEmpty)
    }

    @Test func errorcheckMutexKnowsItsFiber() {
        let mutex = Mutex(.errorcheck)
        onFiber { _ in
            #expect(mutex.lock() == 0)
            #expect(mutex.lock() == EDEADLK)
            #expect(mutex.tryLock() == EBUSY)
            #expect(mutex.unlock() == 0)
            #expect(mutex.unlock() == EPERM)
        }
    }

    @Test func mutexThatWasGivenBackOffFibersIsForgotten() {
        let mutex = Mutex(.recursive)
        onFiber { _ in mutex.lock() }
        #expect(mutex.unlock() == 0)
        let scheduler = onFiber { _ in
            #expect(mutex.lock() == 0)
            #expect(mutex.unlock() == 0)
        }
        #expect(scheduler.parks.isEmpty)
    }

    // MARK: With a reactor

    @Test(arguments: MutexType.allCases)
    func secondGreenletWaitsForTheFirst(type: MutexType) async throws {
        try await withReactor { reactor in
            let mutex = Mutex(type)
            var log: [String] = []
            let first = Greenlet.spawn {
                mutex.lock()
                log.append("first in")
                usleep(30_000)
                log.append("first out")
                mutex.unlock()
            }
            let second = Greenlet.spawn {
                #expect(mutex.tryLock() == EBUSY)
                mutex.lock()
                log.append("second in")
                mutex.unlock()
            }
            try await first.get()
            try await second.get()
            #expect(log == ["first in", "first out", "second in"])
        }
    }

    @Test(arguments: [MutexType.recursive, .errorcheck])
    func otherGreenletMayNotUnlock(type: MutexType) async throws {
        try await withReactor { _ in
            let mutex = Mutex(type)
            let first = Greenlet.spawn {
                mutex.lock()
                usleep(20_000)
                return mutex.unlock()
            }
            let second = Greenlet.spawn { mutex.unlock() }
            let codes = (try await first.get(), try await second.get())
            #expect(codes == (0, EPERM))
        }
    }

    @Test func greenletsGetTheMutexInTurn() async throws {
        try await withReactor { _ in
            let mutex = Mutex()
            var turns: [Int] = []
            var inside = 0
            let greenlets = (0..<50).map { number in
                Greenlet.spawn {
                    for _ in 0..<3 {
                        mutex.lock()
                        inside += 1
                        #expect(inside == 1)
                        usleep(0)
                        turns.append(number)
                        inside -= 1
                        mutex.unlock()
                    }
                }
            }
            for greenlet in greenlets { try await greenlet.get() }
            #expect(turns.count == 150)
            #expect(Set(turns).count == 50)
        }
    }

    @Test func killedGreenletGetsTheMutexAndEndsAfterwards() async throws {
        try await withReactor { reactor in
            let mutex = Mutex()
            var code: Int32 = -1
            let go = Semaphore()
            let holder = Greenlet.spawn {
                mutex.lock()
                _ = go.wait()
                mutex.unlock()
            }
            let waiter = Greenlet.spawn {
                code = mutex.lock()
                mutex.unlock()
                try Greenlet.yield()
            }
            try await reactor.sleep(for: .milliseconds(10))
            reactor.callLater(.milliseconds(10)) { go.post() }  // behind the kill
            try await waiter.kill()
            #expect(code == 0)
            await #expect(throws: GreenletExit.self) { try await waiter.get() }
            try await holder.get()
            #expect(mutex.tryLock() == 0)
            mutex.unlock()
        }
    }

    @Test func childProcessHasEmptyLinesAndWorkingLocks() async {
        // In a process of its own: the child has all descriptors, and threads of other tests hold locks of the runtime's.
        await #expect(processExitsWith: .success) {
            try await withReactor { reactor in
                let (held, mutex, fresh) = (Mutex(), Mutex(), Mutex(.recursive))
                let holder = Greenlet.spawn {
                    held.lock()
                    usleep(50_000)
                    held.unlock()
                }
                let waiter = Greenlet.spawn {  // in the line while the child is made
                    held.lock()
                    held.unlock()
                }
                let forked = Greenlet.spawn { () -> pid_t in
                    mutex.lock()
                    let child = symbol("fork", as: (@convention(c) () -> pid_t).self)()
                    if child == 0 {
                        // Only this fiber is here, and its calls are libc's: no line, no owner but the thread.
                        let codes = [mutex.unlock(), mutex.lock(), mutex.unlock()]
                        let others = [
                            fresh.lock(), fresh.lock(), fresh.unlock(), fresh.unlock(), fresh.unlock(),
                        ]
                        _exit(
                            codes == [0, 0, 0] && others == [0, 0, 0, 0, EPERM] && held.tryLock() == EBUSY
                                ? 0 : 1
                        )
                    }
                    mutex.unlock()
                    return child
                }
                let child = try await forked.get()
                try await holder.get()
                try await waiter.get()
                var status: Int32 = -1
                #expect(waitpid(child, &status, 0) == child)
                #expect(status == 0)
            }
        }
    }

    @Test func threadsAndGreenletsExcludeEachOther() async throws {
        nonisolated(unsafe) var counter = 0  // guarded by the mutex, which is what this tests
        let mutex = Mutex()
        let threads = (0..<2).map { _ in
            PosixThread {
                for _ in 0..<2000 {
                    mutex.lock()
                    counter += 1
                    mutex.unlock()
                }
            }
        }
        try await withReactor { _ in
            let greenlets = (0..<10).map { _ in
                Greenlet.spawn {
                    for turn in 0..<200 {
                        mutex.lock()
                        let seen = counter
                        if turn % 50 == 0 { usleep(0) }
                        counter = seen + 1
                        mutex.unlock()
                    }
                }
            }
            for greenlet in greenlets { try await greenlet.get() }
        }
        for thread in threads { thread.join() }
        #expect(counter == 6000)
    }
}

/// Whether the waits for threads are interposed: not in a build with the thread sanitizer, which does so itself.
let shimsThreads = (0..<cbs_shim_count()).contains {
    String(cString: cbs_shim_at($0).pointee.name) == "sem_post"
}
