import CBlockingShims
import CLinux
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite(.enabled(if: shimsThreads)) struct ConditionTests {
    @Test func waitReleasesTheMutexAndHasItAgainAfterTheSignal() {
        let (mutex, condition) = (Mutex(.errorcheck), Condition())
        let scheduler = onFiber { scheduler in
            scheduler.whenParked = [
                {
                    #expect(mutex.lock() == 0)
                    condition.signal()
                    #expect(mutex.unlock() == 0)
                }
            ]
            mutex.lock()
            #expect(condition.wait(mutex) == 0)
            #expect(mutex.unlock() == 0)
        }
        #expect(scheduler.parks == [.init(deadline: .max, isKillable: true)])
    }

    @Test func signalBeforeTheParkIsNotLost() {
        let (mutex, condition) = (Mutex(), Condition())
        let done = Semaphore()
        onFiber { scheduler in
            mutex.lock()
            let thread = PosixThread {
                mutex.lock()  // free from the moment on at which the fiber is in the line
                condition.signal()
                mutex.unlock()
                done.post()
            }
            scheduler.whenParked = [{ _ = done.wait() }]
            #expect(condition.wait(mutex) == 0)
            mutex.unlock()
            thread.join()
        }
    }

    @Test(arguments: [CLOCK_REALTIME, CLOCK_MONOTONIC])
    func limitIsOfTheConditionsClock(clock: clockid_t) {
        let (mutex, condition) = (Mutex(), Condition(clock: clock))
        onFiber { scheduler in
            mutex.lock()
            let run = timed { condition.wait(mutex, until: time(in: 50, by: clock)) }
            #expect(run.result == ETIMEDOUT)
            #expect(run.seconds >= 0.049 && run.seconds < 4)
            #expect(condition.wait(mutex, until: timespec(tv_sec: 0, tv_nsec: 1_000_000_000)) == EINVAL)
            #expect(condition.wait(mutex, until: timespec(tv_sec: 1, tv_nsec: 0)) == ETIMEDOUT)
            #expect(mutex.unlock() == 0)
        }
    }

    @Test(arguments: [CLOCK_REALTIME, CLOCK_MONOTONIC], [true, false])
    func limitIsOfTheCallersClock(clock: clockid_t, isOnFiber: Bool) {
        typealias Function =
            @convention(c) (OpaquePointer, OpaquePointer, clockid_t, UnsafePointer<timespec>) -> Int32
        let clockWait = symbol("pthread_cond_clockwait", as: Function.self)
        let (mutex, condition) = (Mutex(.errorcheck), Condition())
        func wait(_ milliseconds: Int) -> Int32 {
            var limit = time(in: milliseconds, by: clock)
            return clockWait(OpaquePointer(condition.address), OpaquePointer(mutex.address), clock, &limit)
        }
        let scheduler = onFiber { scheduler in
            guard isOnFiber else { return }
            mutex.lock()
            let run = timed { wait(50) }
            #expect(run.result == ETIMEDOUT && run.seconds >= 0.049)
            scheduler.whenParked = [{ condition.signal() }]
            #expect(wait(60_000) == 0)
            #expect(mutex.unlock() == 0, "held again")
        }
        if !isOnFiber {
            mutex.lock()
            let run = timed { wait(50) }
            #expect(run.result == ETIMEDOUT && run.seconds >= 0.049)
            #expect(mutex.unlock() == 0)
        }
        #expect(scheduler.parks.count == (isOnFiber ? 2 : 0))
    }

    @Test func sharedConditionIsLookedAfterFromTimeToTime() {
        let (mutex, condition) = (Mutex(), Condition(isShared: true))
        let scheduler = onFiber { _ in
            mutex.lock()
            #expect(condition.wait(mutex) == 0)  // for no reason, as POSIX allows
            mutex.unlock()
        }
        #expect(scheduler.parks.count == 1 && scheduler.parks[0].deadline < .max)
    }

    @Test func endedFiberGetsECANCELEDWithTheMutex() {
        let (mutex, condition) = (Mutex(.errorcheck), Condition())
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            mutex.lock()
            let run = timed { condition.wait(mutex) }
            #expect(run.result == ECANCELED)
            #expect(run.seconds >= 0.009, "others run while a caller that does not look waits again")
            #expect(mutex.unlock() == 0)
        }
    }

    @Test func mutexThatIsNotHeldIsAnError() {
        let (mutex, condition) = (Mutex(.errorcheck), Condition())
        onFiber { scheduler in
            #expect(condition.wait(mutex) == EPERM)
            #expect(scheduler.parks.isEmpty)
        }
    }

    // MARK: With a reactor

    @Test func queueBetweenGreenletsOfOneThread() async throws {
        try await withReactor { _ in
            let (mutex, condition) = (Mutex(), Condition())
            var queue: [Int] = []
            var received: [Int] = []
            let consumers = (0..<4).map { _ in
                Greenlet.spawn {
                    while true {
                        mutex.lock()
                        while queue.isEmpty { _ = condition.wait(mutex) }
                        let value = queue.removeFirst()
                        mutex.unlock()
                        if value < 0 { return }
                        received.append(value)
                    }
                }
            }
            let producer = Greenlet.spawn {
                for value in Array(0..<100) + [-1, -1, -1, -1] {
                    mutex.lock()
                    queue.append(value)
                    condition.signal()
                    mutex.unlock()
                    if value % 7 == 0 { usleep(0) }
                }
            }
            try await producer.get()
            for consumer in consumers { try await consumer.get() }
            #expect(received.sorted() == Array(0..<100))
        }
    }

    @Test func signalsFromAnotherThreadWakeEachGreenlet() async throws {
        try await withReactor { reactor in
            let (mutex, condition) = (Mutex(), Condition())
            nonisolated(unsafe) var turn = 0  // guarded by the mutex
            let thread = PosixThread {
                for _ in 0..<500 {
                    mutex.lock()
                    while turn % 2 == 0 { _ = condition.wait(mutex) }
                    turn += 1
                    condition.broadcast()
                    mutex.unlock()
                }
            }
            try await Greenlet.spawn {
                for _ in 0..<500 {
                    mutex.lock()
                    turn += 1
                    condition.broadcast()
                    while turn % 2 == 1 { _ = condition.wait(mutex) }
                    mutex.unlock()
                }
            }.get()
            thread.join()
            #expect(turn == 1000)
        }
    }

    @Test func broadcastWakesAll() async throws {
        try await withReactor { reactor in
            let (mutex, condition) = (Mutex(), Condition())
            var isOpen = false
            let waiters = (0..<20).map { _ in
                Greenlet.spawn {
                    mutex.lock()
                    while !isOpen { _ = condition.wait(mutex) }
                    mutex.unlock()
                }
            }
            try await reactor.sleep(for: .milliseconds(10))
            isOpen = true
            condition.broadcast()  // from the loop, off fibers
            for waiter in waiters { try await waiter.get() }
        }
    }

    @Test func killedGreenletThatWaitsAgainNeitherHangsNorStopsOthers() async throws {
        try await withReactor { reactor in
            let (mutex, condition) = (Mutex(), Condition())
            var isOpen = false
            var codes: Set<Int32> = []
            let waiter = Greenlet.spawn {
                mutex.lock()
                while !isOpen { codes.insert(condition.wait(mutex)) }
                mutex.unlock()
                try Greenlet.yield()
            }
            try await reactor.sleep(for: .milliseconds(10))
            reactor.callLater(.milliseconds(60)) { isOpen = true }
            try await waiter.kill()
            #expect(codes == [ECANCELED])
            #expect(isOpen)
        }
    }
}
