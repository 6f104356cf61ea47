import CLinux
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite struct GreenletSemaphoreTests {
    @Test func permitsRunOutAndComeBack() async throws {
        try await withReactor { _ in
            let semaphore = GreenletSemaphore(2)
            #expect(semaphore.tryAcquire() && semaphore.tryAcquire() && !semaphore.tryAcquire())
            try semaphore.release()
            #expect(semaphore.availableCount == 1)
            try await semaphore.acquire()
            #expect(semaphore.availableCount == 0)
        }
    }

    @Test func releaseWithoutALimitMakesPermits() async throws {
        try await withReactor { _ in
            let semaphore = GreenletSemaphore(0)
            try semaphore.release()
            try semaphore.release()
            #expect(semaphore.availableCount == 2)
        }
    }

    @Test func boundedSemaphoreRefusesAPermitTooMany() async throws {
        try await withReactor { _ in
            let semaphore = GreenletSemaphore.bounded(1)
            let error = #expect(throws: GreenletError.self) { try semaphore.release() }
            #expect(error?.code == .notHeld && semaphore.availableCount == 1 && semaphore.limit == 1)
        }
    }

    @Test func nobodyOvertakesAWaiter() async throws {
        try await withReactor { _ in
            let semaphore = GreenletSemaphore(1)
            try await semaphore.acquire()
            let waiter = Greenlet.spawn { () async throws in try await semaphore.acquire() }
            await Greenlet.yield()
            try semaphore.release()
            // It has not run yet, and the permit is its already.
            #expect(!semaphore.tryAcquire() && semaphore.waiterCount == 0)
            try await waiter.get()
        }
    }

    @Test func permitIsGivenBackHoweverTheBodyEnds() async throws {
        struct Oops: Error {}
        try await withReactor { _ in
            let semaphore = GreenletSemaphore.bounded(1)
            await #expect(throws: Oops.self) {
                try await semaphore.withPermit { () async throws in throw Oops() }
            }
            let asleep = Greenlet.spawn { () async throws in
                try await semaphore.withPermit { try await Greenlet.sleep(for: .seconds(60)) }
            }
            let fiber = Greenlet.spawn { () throws -> Void in
                try semaphore.withPermit { try Greenlet.sleep(for: .seconds(60)) }
            }
            await Greenlet.yield()
            #expect(semaphore.availableCount == 0 && semaphore.waiterCount == 1)
            try await asleep.kill()
            #expect(semaphore.availableCount == 0 && semaphore.waiterCount == 0)
            try await fiber.kill()
            #expect(semaphore.availableCount == 1)
        }
    }

    @Test func acquireWithATimeoutSaysWhetherItHasAPermit() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let semaphore = GreenletSemaphore(1)
            let has = try await semaphore.acquire(timeout: .seconds(1))
            let hasSecond = try await semaphore.acquire(timeout: .seconds(1))
            let hasThird = try await Greenlet.spawn { () throws -> Bool in
                try semaphore.acquire(timeout: .seconds(1))
            }.get()
            #expect(has && !hasSecond && !hasThird && semaphore.waiterCount == 0)
        }
    }

    @Test func releaseFromThreadsLosesNone() async throws {
        try await withReactor { reactor in
            let semaphore = GreenletSemaphore(0)
            let waiters = (0..<40).map { _ in
                Greenlet.spawn { () async throws in try await semaphore.acquire() }
            }
            for _ in 0..<4 {
                try await reactor.threadPool.run { for _ in 0..<10 { semaphore.releaseFromThread() } }
            }
            for waiter in waiters { try await waiter.get() }
            #expect(semaphore.availableCount == 0)
        }
    }

    /// Threads give, greenlets take and are killed meanwhile: what was not taken is there.
    @Test(arguments: [UInt64](0..<4))
    func permitsOfThreadsAreConserved(seed: UInt64) async throws {
        try await withReactor { reactor in
            var random = SeededGenerator(seed: seed)
            let semaphore = GreenletSemaphore(0)
            let taken = IntLog()
            let givers = (0..<4).map { _ in
                Greenlet.spawn { () async throws -> Void in
                    try await reactor.threadPool.run { for _ in 0..<250 { semaphore.releaseFromThread() } }
                }
            }
            let takers = (0..<800).map { number in
                number % 2 == 0
                    ? Greenlet.spawn { () async throws -> Void in
                        try await semaphore.acquire()
                        taken.numbers.append(number)
                    }
                    : Greenlet.spawn { () throws -> Void in
                        try semaphore.acquire()
                        taken.numbers.append(number)
                    }
            }
            for _ in 0..<100 {
                takers.randomElement(using: &random)?.cancel()
                await reactor.yield()
            }
            for giver in givers { try await giver.get() }
            for taker in takers { try await taker.join() }
            // The last calls of threads may still be under way.
            while semaphore.availableCount + taken.numbers.count < 1000 { await reactor.yield() }
            #expect(semaphore.availableCount + taken.numbers.count == 1000 && semaphore.waiterCount == 0)
        }
    }

    @Test func reportsSayWhoHoldsThePermits() async throws {
        try await withReactor { _ in
            let semaphore = GreenletSemaphore.bounded(2)
            let tasks = IntLog()
            let gate = Event()
            let greenlets = (0..<3).map { _ in
                Greenlet.spawn { () async throws -> Void in
                    try await semaphore.withPermit { () async throws -> Void in
                        tasks.numbers.append(Int(bitPattern: clinux_current_task()))
                        try await gate.wait()
                    }
                }
            }
            await Greenlet.yield()
            #expect(semaphore.holders.map { Int(bitPattern: $0) } == tasks.numbers)
            #expect(semaphore.waitDescription == "a semaphore with 0 of 2 permits")
            greenlets[0].cancel()
            try await greenlets[0].join()
            await Greenlet.yield()
            // The third was handed the permit of the first.
            #expect(semaphore.holders.map { Int(bitPattern: $0) } == Array(tasks.numbers.suffix(2)))
            gate.set()
            for greenlet in greenlets { try await greenlet.join() }
            #expect(semaphore.holders.isEmpty)
        }
    }

    @Test func negativeNumberOfPermitsTraps() async {
        await #expect(processExitsWith: .failure) {
            try await withReactor { _ in _ = GreenletSemaphore(-1) }
        }
    }
}
