import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite struct RecursiveGreenletLockTests {
    @Test func holderTakesItAgain() async throws {
        try await withReactor { _ in
            let lock = RecursiveGreenletLock("accounts")
            try await Greenlet.spawn { () async throws -> Void in
                try await lock.withLock { () async throws -> Void in
                    try await lock.acquire()
                    #expect(lock.depth == 2 && lock.isHeldByCaller && lock.tryAcquire())
                    try lock.release()
                    try lock.release()
                    #expect(lock.depth == 1)
                }
            }.get()
            #expect(!lock.isLocked && lock.waitDescription == "recursive lock \"accounts\"")
        }
    }

    /// The body of a time-out runs in a task of its own.
    @Test func holderHasItInsideATimeout() async throws {
        try await withReactor { _ in
            let lock = RecursiveGreenletLock()
            let depth = try await Greenlet.spawn { () async throws -> Int in
                try await lock.withLock {
                    try await withTimeout(.seconds(60)) { try await lock.withLock { () async in lock.depth } }
                }
            }.get()
            #expect(depth == 2)
        }
    }

    @Test func othersCannotReleaseIt() async throws {
        try await withReactor { _ in
            let lock = RecursiveGreenletLock()
            let gate = Event()
            let holder = Greenlet.spawn { () throws -> Void in try lock.withLock { _ = try gate.wait() } }
            await Greenlet.yield()
            let error = #expect(throws: GreenletError.self) { try lock.release() }
            #expect(error?.code == .notHeld && lock.depth == 1 && lock.holders == holder.holders)
            gate.set()
            try await holder.get()
            let late = #expect(throws: GreenletError.self) { try lock.release() }
            #expect(late?.code == .notHeld)
        }
    }

    @Test func waitersGetItOneByOneInOrder() async throws {
        try await withReactor { _ in
            let lock = RecursiveGreenletLock()
            let log = IntLog()
            let greenlets = (0..<20).map { number in
                Greenlet.spawn { () throws -> Void in
                    try lock.withLock {
                        try lock.withLock {
                            log.numbers.append(number)
                            try Greenlet.yield()
                        }
                        #expect(lock.depth == 1)
                        try Greenlet.yield()
                        log.numbers.append(number)
                    }
                }
            }
            for greenlet in greenlets { try await greenlet.get() }
            #expect(log.numbers == (0..<20).flatMap { [$0, $0] } && !lock.isLocked && lock.depth == 0)
        }
    }

    @Test func timedOutWaiterHasItNot() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let lock = RecursiveGreenletLock()
            let gate = Event()
            let holder = Greenlet.spawn { () async throws -> Void in
                try await lock.withLock { _ = try await gate.wait() }
            }
            await Greenlet.yield()
            let isTaken = try await lock.acquire(timeout: .seconds(1))
            #expect(!isTaken && lock.waiterCount == 0 && !lock.isHeldByCaller)
            gate.set()
            try await holder.get()
        }
    }
}
