import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct DeferredLockTests {
    typealias Spam = DeferredTests.Spam

    @Test func waitersGetTheLockInTheirOrderAndItIsNeverFreeInBetween() async throws {  // S32
        try await withReactor { _ in
            let lock = DeferredLock()
            var log: [Int] = []
            for number in 0..<4 { lock.acquire().addCallback { log.append(number) } }
            #expect(log == [0] && lock.isLocked && lock.waiterCount == 3)
            for number in 1..<4 {
                lock.release()
                #expect(log.last == number && lock.isLocked)
            }
            lock.release()
            #expect(!lock.isLocked && lock.waiterCount == 0)
        }
    }

    @Test func runHoldsTheLockUntilWhatItReturnsHasFired() async throws {  // S32
        try await withReactor { _ in
            let lock = DeferredLock()
            let inner = Deferred<Int>()
            let first = lock.run { inner }
            let second = lock.run { "second" }
            #expect(lock.isLocked && !second.isCalled)
            try inner.callback(32)
            #expect(first.outcome == 32 && second.outcome == "second" && !lock.isLocked)
        }
    }

    @Test func runReleasesTheLockHoweverItEnds() async throws {  // S32
        try await withReactor { _ in
            let lock = DeferredLock()
            let inner = Deferred<Int>()
            let failing = [
                lock.run { () throws -> Int in throw Spam() },
                lock.run { () throws -> Deferred<Int> in throw Spam() },
                lock.run { inner },
            ]
            try inner.errback(Spam())
            #expect(!lock.isLocked)
            for deferred in failing {
                #expect(throws: Spam.self) { try deferred.result()?.get() }
                deferred.addErrback { _ in 0 }
            }
        }
    }

    @Test func cancelledRunCancelsWhatItReturnedAndReleases() async throws {  // S32
        try await withReactor { _ in
            let lock = DeferredLock()
            // Nobody holds the inner one but the run.
            let run = lock.run { Deferred<Int>() }
            run.cancel()
            #expect(!lock.isLocked)
            run.addErrback { _ in 0 }
        }
    }

    @Test func cancelledWaiterLeavesTheLineAndTheRestKeepsItsOrder() async throws {  // S21
        try await withReactor { _ in
            let lock = DeferredLock()
            var log: [Int] = []
            let holder = lock.acquire()
            let waiters = (0..<3).map { number in lock.acquire().addCallback { log.append(number) } }
            waiters[1].cancel()
            waiters[1].addErrback { #expect(DeferredError.isCancellation($0)) }
            #expect(lock.waiterCount == 2)
            holder.cancel()
            #expect(lock.isLocked, "who has it keeps it")
            lock.release()
            lock.release()
            lock.release()
            #expect(log == [0, 2] && !lock.isLocked)
        }
    }

    @Test func cancelledRunInTheLineNeverRuns() async throws {  // S21
        try await withReactor { _ in
            let lock = DeferredLock()
            _ = lock.acquire()
            let run = lock.run { () -> Void in Issue.record("it was cancelled") }
            run.cancel()
            run.addErrback { _ in }
            lock.release()
            #expect(!lock.isLocked)
        }
    }

    @Test func waiterMayOutliveItsLock() async throws {  // S21
        try await withReactor { _ in
            let waiters: [Deferred<Void>]
            let get: Deferred<Int>
            do {
                let (lock, semaphore, queue) = (
                    DeferredLock(), DeferredSemaphore(tokens: 1), DeferredQueue<Int>()
                )
                _ = lock.acquire()
                _ = semaphore.acquire()
                waiters = [lock.acquire(), semaphore.acquire()]
                get = try queue.get()
            }
            for waiter in waiters {
                waiter.cancel()
                waiter.addErrback { #expect(DeferredError.isCancellation($0)) }
            }
            get.cancel()
            get.addErrback { _ in 0 }
        }
    }

    @Test func releaseOfAnUnlockedLockTraps() async {  // S32
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in DeferredLock().release() }
        }
        #expect(exit.said("release() of a DeferredLock that nobody holds"))
    }

    @Test func withLockExcludesTasksAndSurvivesErrors() async throws {  // S32
        try await withReactor { reactor in
            let lock = DeferredLock()
            var (inside, most) = (0, 0)
            let tasks = (0..<5).map { number in
                Deferred<Int>(async: {
                    try await lock.withLock {
                        inside += 1
                        most = max(most, inside)
                        defer { inside -= 1 }
                        await reactor.yield()
                        if number == 2 { throw Spam() }
                        return number
                    }
                })
            }
            let outcomes = try await DeferredList(tasks, consumeErrors: true)
                .addCallback { $0.map { try? $0.get() } }.value
            #expect(outcomes == [0, 1, nil, 3, 4] && most == 1 && !lock.isLocked)
        }
    }

    @Test func cancelledTaskInTheLineLeavesIt() async throws {  // S21
        try await withReactor { reactor in
            let lock = DeferredLock()
            _ = lock.acquire()
            let waiter = Deferred<Void>(async: {
                try await lock.withLock { _ = Issue.record("it was cancelled") }
            })
            await settle(reactor)
            #expect(lock.waiterCount == 1)
            waiter.cancel()
            await #expect(throws: DeferredError.self) { try await waiter.value }
            lock.release()
            #expect(!lock.isLocked)
        }
    }
}

@Suite struct DeferredSemaphoreTests {
    @Test func asManyHoldATokenAsThereAre() async throws {  // S32
        try await withReactor { _ in
            let semaphore = DeferredSemaphore(tokens: 3)
            var log: [Int] = []
            for number in 0..<5 { semaphore.acquire().addCallback { log.append(number) } }
            #expect(log == [0, 1, 2] && semaphore.availableCount == 0 && semaphore.waiterCount == 2)
            for _ in 0..<5 { semaphore.release() }
            #expect(log == [0, 1, 2, 3, 4] && semaphore.availableCount == 3)
        }
    }

    @Test func runHoldsATokenUntilWhatItReturnsHasFired() async throws {  // S32
        try await withReactor { _ in
            let semaphore = DeferredSemaphore(tokens: 2)
            let inner = (0..<3).map { _ in Deferred<Int>() }
            let runs = inner.map { deferred in semaphore.run { deferred } }
            #expect(semaphore.availableCount == 0 && semaphore.waiterCount == 1)
            for (number, deferred) in inner.enumerated() { try deferred.callback(number) }
            #expect(runs.map(\.outcome) == [0, 1, 2] && semaphore.availableCount == 2)
        }
    }

    @Test func cancelledWaiterLeavesTheLine() async throws {  // S21
        try await withReactor { _ in
            let semaphore = DeferredSemaphore(tokens: 1)
            _ = semaphore.acquire()
            let waiter = semaphore.acquire()
            waiter.cancel()
            waiter.addErrback { _ in }
            semaphore.release()
            #expect(semaphore.availableCount == 1 && semaphore.waiterCount == 0)
        }
    }

    @Test func noTokensTrap() async {  // S32
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in _ = DeferredSemaphore(tokens: 0) }
        }
        #expect(exit.said("DeferredSemaphore(tokens: 0): at least one token is needed"))
    }

    @Test func releaseOfATokenThatNobodyHoldsTraps() async {  // S32
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in DeferredSemaphore(tokens: 2).release() }
        }
        #expect(exit.said("that has all its 2 tokens"))
    }
}

@Suite struct DeferredQueueTests {
    @Test func valuesAndWaitersAreServedInTheirOrder() async throws {  // S32
        try await withReactor { _ in
            let queue = DeferredQueue<Int>()
            var log: [Int] = []
            for _ in 0..<2 { try queue.get().addCallback { log.append($0) } }
            #expect(queue.waiterCount == 2)
            for number in 0..<4 { try queue.put(number) }
            #expect(log == [0, 1] && queue.count == 2)
            for _ in 0..<2 { try queue.get().addCallback { log.append($0) } }
            #expect(log == [0, 1, 2, 3] && queue.count == 0)
        }
    }

    @Test func boundsAreKept() async throws {  // S32
        try await withReactor { _ in
            let queue = DeferredQueue<Int>(capacity: 2, backlog: 2)
            var log: [Int] = []
            for _ in 0..<2 { try queue.get().addCallback { log.append($0) } }
            let underflow = #expect(throws: DeferredError.self) { try queue.get() }
            #expect(underflow?.code == .queueUnderflow)
            for number in 0..<4 { try queue.put(number) }
            let overflow = #expect(throws: DeferredError.self) { try queue.put(4) }
            #expect(overflow?.code == .queueOverflow && overflow?.message.contains("capacity 2") == true)
            #expect(log == [0, 1] && queue.count == 2)
        }
    }

    @Test func zeroBoundsKeepNothing() async throws {  // S32
        try await withReactor { _ in
            let noStore = DeferredQueue<Int>(capacity: 0)
            #expect(throws: DeferredError.self) { try noStore.put(1) }
            let waiter = try noStore.get()
            try noStore.put(2)
            #expect(waiter.outcome == 2)
            let noWait = DeferredQueue<Int>(backlog: 0)
            #expect(throws: DeferredError.self) { try noWait.get() }
            try noWait.put(3)
            #expect(try noWait.get().outcome == 3)
        }
    }

    @Test func cancelledWaiterLeavesTheLine() async throws {  // S21
        try await withReactor { _ in
            let queue = DeferredQueue<Int>(backlog: 2)
            let waiters = (0..<2).map { _ in try? queue.get() }
            waiters[0]?.cancel()
            waiters[0]?.addErrback {
                #expect(DeferredError.isCancellation($0))
                return 0
            }
            let third = try queue.get()
            try queue.put(1)
            try queue.put(2)
            #expect(waiters[1]?.outcome == 1 && third.outcome == 2)
        }
    }

    @Test func cancelAfterGetDoesNothing() async throws {  // S21
        try await withReactor { _ in
            let queue = DeferredQueue<Int>()
            let waiter = try queue.get()
            try queue.put(5)
            waiter.cancel()
            #expect(waiter.outcome == 5)
        }
    }

    @Test func negativeBoundTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in _ = DeferredQueue<Int>(backlog: -1) }
        }
        #expect(exit.said("DeferredQueue(backlog: -1): a bound cannot be negative"))
    }
}
