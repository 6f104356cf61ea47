import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite struct GreenletConditionTests {
    @Test func notifyWakesInOrderAndOnlyWithTheLock() async throws {
        try await withReactor { _ in
            let condition = GreenletCondition()
            let log = IntLog()
            let waiters = (0..<4).map { number in
                number % 2 == 0
                    ? Greenlet.spawn { () async throws -> Void in
                        try await condition.withLock { () async throws -> Void in
                            try await condition.wait()
                            log.numbers.append(number)
                        }
                    }
                    : Greenlet.spawn { () throws -> Void in
                        try condition.withLock {
                            try condition.wait()
                            log.numbers.append(number)
                        }
                    }
            }
            while condition.waiterCount < 4 { await Greenlet.yield() }
            waiters[1].cancel()
            try await condition.withLock { () async throws -> Void in
                try condition.notify(2)
                for _ in 0..<5 { await Greenlet.yield() }
                #expect(log.numbers.isEmpty)  // the lock is here
            }
            try await waiters[2].get()
            #expect(log.numbers == [0, 2] && condition.waiterCount == 1)
            try await condition.withLock { () async throws -> Void in try condition.notifyAll() }
            for waiter in waiters { try await waiter.join() }
            #expect(log.numbers == [0, 2, 3] && !condition.lock.isLocked)
        }
    }

    @Test func killedWaiterHasTheLockUntilItsBodyEnds() async throws {
        try await withReactor { _ in
            let condition = GreenletCondition()
            let log = IntLog()
            for isAsync in [true, false] {
                let waiter =
                    isAsync
                    ? Greenlet.spawn { () async throws -> Void in
                        try await condition.withLock { () async throws -> Void in
                            defer { log.numbers.append(condition.lock.isLocked ? 1 : 0) }
                            try await condition.wait()
                        }
                    }
                    : Greenlet.spawn { () throws -> Void in
                        try condition.withLock {
                            defer { log.numbers.append(condition.lock.isLocked ? 1 : 0) }
                            try condition.wait()
                        }
                    }
                await Greenlet.yield()
                await Greenlet.yield()
                #expect(condition.waiterCount == 1 && !condition.lock.isLocked)
                try await condition.lock.acquire()
                waiter.cancel()
                for _ in 0..<5 { await Greenlet.yield() }
                #expect(!waiter.isReady)  // it waits for the lock
                try condition.lock.release()
                try await waiter.join()
                #expect(!condition.lock.isLocked)
            }
            #expect(log.numbers == [1, 1])
        }
    }

    @Test func useWithoutTheLockIsAnError() async throws {
        try await withReactor { _ in
            let condition = GreenletCondition()
            let first = #expect(throws: GreenletError.self) { try condition.notify() }
            let second = await #expect(throws: GreenletError.self) { try await condition.wait() }
            #expect(first?.code == .notHeld && second?.code == .notHeld)
        }
    }

    @Test func timeoutIsFalse() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let condition = GreenletCondition()
            let isNotified = try await condition.withLock { try await condition.wait(timeout: .seconds(1)) }
            #expect(!isNotified && condition.waiterCount == 0)
        }
    }
}
