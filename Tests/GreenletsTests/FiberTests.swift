import CFibers
import Glibc
import ReactorCore
import ReactorTesting
import Testing

@testable import Greenlets

@Suite struct FiberTests {
    @Test func errnoBelongsToTheFiber() async throws {
        try await withReactor { _ in
            let greenlets = (1...20).map { (number: Int32) in
                Greenlet.spawn { () throws -> Int in
                    var kept = 0
                    for _ in 0..<20 {
                        errno = number
                        try Greenlet.yield()
                        if errno == number { kept += 1 }
                    }
                    return kept
                }
            }
            errno = 0
            for greenlet in greenlets {
                let kept = try await greenlet.get()
                #expect(kept == 20)
            }
            #expect(errno == 0)
        }
    }

    /// The runtime tracks accesses to variables in a per-thread list. One that is open while its fiber is
    /// parked must neither be lost nor be mistaken for an access of the code that runs meanwhile.
    @Test func accessesHeldAcrossAParkStayWithTheirFiber() async throws {
        try await withReactor { _ in
            let cells = (0..<8).map { _ in Cell() }
            let greenlets = cells.map { cell in
                Greenlet.spawn { for round in 1...50 { try cell.value.grow(by: round) } }
            }
            for greenlet in greenlets { try await greenlet.get() }
            #expect(cells.allSatisfy { $0.value.total == 1275 })
        }
    }

    @Test func manyInterleavingsKeepEveryFibersLocals() async throws {
        let seed = UInt64.random(in: .min ... .max)
        try await withReactor { reactor in
            var generator = SeededGenerator(seed: seed)
            let plans = (0..<500).map { _ in (0..<20).map { _ in UInt8.random(in: 0..<4, using: &generator) }
            }
            let greenlets = plans.enumerated().map { number, plan in
                Greenlet.spawn { () throws -> Int in
                    var locals = [number, number &* 31]
                    for step in plan {
                        switch step {
                        case 0: try Greenlet.yield()
                        case 1: try Greenlet.sleep(for: .microseconds(Int(step) * 50))
                        case 2: try Self.deeper(4)
                        default:
                            locals.append(
                                try Greenlet.blockingCall {
                                    await reactor.yield(); return number
                                })
                        }
                    }
                    return locals.dropFirst(2).allSatisfy { $0 == number } && locals[0] == number
                        ? locals[1] : -1
                }
            }
            for (number, greenlet) in greenlets.enumerated() {
                let value = try await greenlet.get()
                #expect(value == number &* 31, "seed \(seed)")
            }
        }
    }

    @Test func killAtEverySuspensionPointEndsTheFiberAndGivesItsStackBack() async throws {
        try await withReactor { reactor in
            let cache = StackCache.of(reactor)
            for killAfter in 0...12 {
                var reached = 0
                let greenlet = Greenlet.spawn {
                    for _ in 0..<10 {
                        try Greenlet.yield()
                        reached += 1
                    }
                }
                for _ in 0..<killAfter { await reactor.yield() }
                try await greenlet.kill()
                #expect(greenlet.isReady)
                #expect(reached < 10 || greenlet.killError == nil || greenlet.isSuccessful)
                #expect(cache.count <= 1, "one stack serves them all")
            }
        }
    }

    @Test func killStaysUntilTheFiberHasEnded() async throws {
        try await withReactor { reactor in
            var errors = 0
            let greenlet = Greenlet.spawn {
                for _ in 0..<5 {
                    do { try Greenlet.sleep(for: .seconds(60)) } catch is GreenletExit { errors += 1 }
                }
            }
            await reactor.yield()
            await reactor.yield()
            try await greenlet.kill()
            #expect(errors == 5)
        }
    }

    @Test func tenThousandFibersPark() async throws {
        try await withReactor { _ in
            var parked = 0
            let greenlets = (0..<10_000).map { _ in
                Greenlet.spawn {
                    parked += 1
                    try Greenlet.sleep(for: .milliseconds(50))
                }
            }
            for greenlet in greenlets { try await greenlet.get() }
            #expect(parked == 10_000)
        }
    }

    @Test func trimmedStackKeepsItsLastPagesAndServesAgain() throws {
        let stack = try #require(cf_fiber_map(64 * 1024))
        defer { cf_fiber_unmap(stack) }
        /// Uses 32 KiB of the stack.
        func run() {
            cf_fiber_prepare(stack, { _ in descend(until: cf_fiber_stack_left() - 32 * 1024) }, nil)
            while cf_fiber_resume(stack) == 0 {}
        }
        run()
        #expect(cf_fiber_stack_high_water(stack) >= 32 * 1024)
        cf_fiber_trim(stack)
        #expect(cf_fiber_stack_high_water(stack) <= 8 * 1024)
        run()
        #expect(cf_fiber_stack_high_water(stack) >= 32 * 1024)
    }

    @Test func burstOfFibersLeavesFewStacksWarm() async throws {
        try await withReactor { reactor in
            let greenlets = (0..<400).map { _ in
                Greenlet.spawn {
                    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64 * 1024) {
                        $0.initialize(repeating: 1)
                    }
                    try Greenlet.sleep(for: .milliseconds(1))
                }
            }
            for greenlet in greenlets { try await greenlet.get() }
            let warm = StackCache.of(reactor).warmCount
            #expect(warm <= StackCache.warmLimit)
        }
    }

    @Test func stackOfTheConfiguredSizeIsReallyThere() async throws {
        try await withReactor { _ in
            let left = try await Greenlet.spawn { () throws -> Int in cf_fiber_stack_left() }.get()
            #expect(left > Fiber.stackSize - 8_192 && left <= Fiber.stackSize + 8_192)
        }
    }

    @Test func overflowHitsTheGuardPageInsteadOfTheNeighbour() async {
        await #expect(processExitsWith: .failure) {
            try await withReactor { _ in
                _ = try await Greenlet.spawn { () throws -> Int in Self.overflow(0) }.get()
            }
        }
    }

    @Test func waitingInsideAnOperationThatAFiberWaitsForIsAClearError() async throws {
        try await withReactor { _ in
            let code = try await Greenlet.spawn { () throws -> GreenletError.Code? in
                try Greenlet.blockingCall {
                    // An async closure runs on the driver, not on the stack that has parked.
                    do { try Self.deeper(0) } catch { return (error as? GreenletError)?.code }
                    return nil
                }
            }.get()
            #expect(code == .notInGreenlet)
        }
    }

    @Test func operationMaySpawnAndJoinOtherFibersAndTheFiberItself() async throws {
        try await withReactor { _ in
            let value = try await Greenlet.spawn { () throws -> Int in
                let inner = Greenlet.spawn { () throws -> Int in
                    let innermost = Greenlet.spawn { () throws -> Int in
                        try Greenlet.yield()
                        return 1
                    }
                    return try innermost.get() + 1
                }
                let sum = try inner.get()
                return try sum
                    + Greenlet.blockingCall { try await Greenlet.spawn { () throws -> Int in 10 }.get() }
            }.get()
            #expect(value == 12)
        }
    }

    @Test func fiberResumedOnAnotherThreadTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let reactor = Reactor()
            let event = try reactor.run(until: { () async -> Event in
                let event = Event()
                _ = Greenlet.spawn { try event.wait() }
                await reactor.yield()
                await reactor.yield()
                return event
            })
            try await Task.detached { try await Self.runElsewhere(reactor, event) }.value
        }
        let said = String(decoding: exit?.standardErrorContent ?? [], as: UTF8.self)
        #expect(said.contains("runs on another"))
    }

    /// Sets `event` and runs the reactor for a while on a thread of its own.
    private static func runElsewhere(_ reactor: Reactor, _ event: Event) async throws {
        let pool = ThreadPool(limit: 1)
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            try? pool.submit {
                try? reactor.run(until: {
                    event.set()
                    try await reactor.sleep(for: .milliseconds(50))
                })
                continuation.resume()
            }
        }
    }

    @Test func requestIsReleasedWhenItHasEnded() async throws {
        try await withReactor { reactor in
            weak var watched: Cell?
            let greenlet = Greenlet.spawn {
                let cell = Cell()
                watched = cell
                try Greenlet.blockingCall { withExtendedLifetime(cell) {} }
                try Greenlet.sleep(for: .zero)
            }
            try await greenlet.join()
            #expect(watched == nil)
        }
    }

    /// What a fiber frees it frees on its small stack: chains that were never fired must not be released link
    /// by link.
    @Test(arguments: [true, false])
    func longChainsOfDeferredsAreFreedOnASmallStack(_ isFired: Bool) async throws {  // S12
        try await withReactor { _ in
            let count = try await Greenlet.spawn { () throws -> Int in try Self.chain(100_000, isFired) }
                .get()
            #expect(count == (isFired ? 11 : 0))
        }
    }

    @ReactorActor private static func chain(_ count: Int, _ isFired: Bool) throws -> Int {
        let first = Deferred<Int>()
        var last = first
        for _ in 0..<count {
            let next = last
            let outer = isFired ? Deferred.succeed(0) : Deferred<Int>()
            last = outer.addCallback { _ in next }
        }
        var got = 0
        last.addCallback { got = $0 }
        if isFired { try first.callback(11) }
        return got
    }

    private static func deeper(_ depth: Int) throws {
        if depth == 0 { try Greenlet.yield() } else { try deeper(depth - 1) }
    }

    private static func overflow(_ depth: Int) -> Int {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 512) { buffer in
            buffer.initialize(repeating: depth)
            return depth < 0 ? 0 : overflow(depth + 1) &+ buffer[depth & 511]
        }
    }
}

@ReactorActor private final class Cell {
    struct Value {
        var total = 0
        /// Parks while `self`, a property of a class, is being modified.
        mutating func grow(by amount: Int) throws {
            try Greenlet.yield()
            total += amount
        }
    }
    var value = Value()
}

/// Calls itself until no more than `rest` bytes of the fiber's stack are left: by frames, which are on it in every build.
@inline(never)
private func descend(until rest: Int) {
    if cf_fiber_stack_left() > rest { descend(until: rest) }
    // Something to come back for, so that no frame is given up before.
    _ = cf_fiber_stack_left()
}
