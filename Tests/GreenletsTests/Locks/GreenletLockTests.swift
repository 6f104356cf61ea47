import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite struct GreenletLockTests {
    @Test func oneAtATimeInTheOrderTheyCame() async throws {
        try await withReactor { _ in
            let lock = GreenletLock("films")
            let log = IntLog()
            let greenlets = (0..<20).map { number in
                number % 2 == 0
                    ? Greenlet.spawn { () async throws -> Void in
                        try await lock.withLock { () async throws -> Void in
                            log.numbers.append(number)
                            await Greenlet.yield()
                            log.numbers.append(number)
                        }
                    }
                    : Greenlet.spawn { () throws -> Void in
                        try lock.withLock {
                            log.numbers.append(number)
                            try Greenlet.yield()
                            log.numbers.append(number)
                        }
                    }
            }
            for greenlet in greenlets { try await greenlet.get() }
            #expect(log.numbers == (0..<20).flatMap { [$0, $0] } && !lock.isLocked)
            #expect(lock.waitDescription == "lock \"films\"")
        }
    }

    @Test func releaseOfAFreeLockIsAnError() async throws {
        try await withReactor { _ in
            let lock = GreenletLock()
            let error = #expect(throws: GreenletError.self) { try lock.release() }
            #expect(error?.code == .notHeld)
        }
    }

    @Test func timeoutsAndTriesDoNotTakeAHeldLock() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let lock = GreenletLock()
            try await lock.acquire()
            let isTaken = try await lock.acquire(timeout: .seconds(1))
            let isTakenInFiber = try await Greenlet.spawn { () throws -> Bool in
                try lock.acquire(timeout: .seconds(1))
            }.get()
            #expect(!isTaken && !isTakenInFiber && !lock.tryAcquire() && lock.waiterCount == 0)
            try lock.release()
            #expect(lock.tryAcquire())
        }
    }

    @Test func holdersAreTheTasksOfWhoTookIt() async throws {
        try await withReactor { _ in
            let lock = GreenletLock()
            let gate = Event()
            let holder = Greenlet.spawn { () throws -> Void in try lock.withLock { _ = try gate.wait() } }
            await Greenlet.yield()
            #expect(lock.holders == holder.holders && !lock.holders.isEmpty)
            gate.set()
            try await holder.get()
            #expect(lock.holders.isEmpty)
        }
    }
}
