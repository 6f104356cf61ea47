import Greenlets
import ReactorCore
import ReactorTesting
import Testing

/// Random interleavings of both kinds of greenlets, with kills and time-outs at any point: what there was is there in
/// the end, nobody waits any more, and no more were inside at once than may be.
@Suite struct PrimitiveStressTests {
    private enum Section: CaseIterable { case semaphore, lock, recursiveLock, condition }

    /// Runs `body` inside, in either kind of code.
    @ReactorActor private struct Guarded {
        let limit: Int
        let run: @ReactorActor (_ body: @ReactorActor () async throws -> Void) async throws -> Void
        let runInFiber: @ReactorActor (_ body: @ReactorActor () throws -> Void) throws -> Void
        let isAtRest: @ReactorActor () -> Bool
    }

    @ReactorActor private func makeGuarded(_ section: Section) -> Guarded {
        switch section {
        case .semaphore:
            let semaphore = GreenletSemaphore.bounded(3)
            return Guarded(
                limit: 3, run: { try await semaphore.withPermit($0) },
                runInFiber: { try semaphore.withPermit($0) },
                isAtRest: {
                    semaphore.availableCount == 3 && semaphore.waiterCount == 0 && semaphore.holders.isEmpty
                })
        case .lock:
            let lock = GreenletLock()
            return Guarded(
                limit: 1, run: { try await lock.withLock($0) }, runInFiber: { try lock.withLock($0) },
                isAtRest: { !lock.isLocked && lock.waiterCount == 0 && lock.holders.isEmpty })
        case .recursiveLock:
            let lock = RecursiveGreenletLock()
            return Guarded(
                limit: 1,
                run: { body in try await lock.withLock { try await lock.withLock { try await body() } } },
                runInFiber: { body in try lock.withLock { try lock.withLock { try body() } } },
                isAtRest: { !lock.isLocked && lock.depth == 0 && lock.waiterCount == 0 })
        case .condition:
            // Gives the lock away in the middle, and wakes somebody before.
            let condition = GreenletCondition()
            return Guarded(
                limit: 1,
                run: { body in
                    try await condition.withLock {
                        try await body()
                        try condition.notify()
                        try await condition.wait(timeout: .milliseconds(1))
                        try await body()
                    }
                },
                runInFiber: { body in
                    try condition.withLock {
                        try body()
                        try condition.notify()
                        try condition.wait(timeout: .milliseconds(1))
                        try body()
                    }
                },
                isAtRest: {
                    !condition.lock.isLocked && condition.lock.waiterCount == 0 && condition.waiterCount == 0
                })
        }
    }

    @Test(arguments: Section.allCases, [UInt64](0..<8))
    private func noMoreInsideThanMayBe(_ section: Section, seed: UInt64) async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            var random = SeededGenerator(seed: seed)
            let guarded = makeGuarded(section)
            let inside = IntLog()
            let enter: @ReactorActor (Int) -> Void = { number in
                inside.numbers.append(number)
                #expect(inside.numbers.count <= guarded.limit, "seed \(seed)")
            }
            let leave: @ReactorActor (Int) -> Void = { number in
                inside.numbers.remove(at: inside.numbers.firstIndex(of: number)!)
            }
            var greenlets: [Greenlet<Void>] = []
            for number in 0..<150 {
                let yields = Int.random(in: 0..<4, using: &random)
                let timeout: Duration? =
                    Int.random(in: 0..<3, using: &random) == 0
                    ? .microseconds(Int.random(in: 0..<2000, using: &random)) : nil
                greenlets.append(
                    Bool.random(using: &random)
                        ? Greenlet.spawn { () async throws -> Void in
                            try await withTimeout(timeout, default: ()) {
                                try await guarded.run { () async throws -> Void in
                                    enter(number)
                                    defer { leave(number) }
                                    for _ in 0..<yields {
                                        try await Greenlet.sleep(for: .microseconds(yields * 50))
                                    }
                                }
                            }
                        }
                        : Greenlet.spawn { () throws -> Void in
                            try withTimeout(timeout, default: ()) {
                                try guarded.runInFiber { () throws -> Void in
                                    enter(number)
                                    defer { leave(number) }
                                    for _ in 0..<yields { try Greenlet.yield() }
                                }
                            }
                        })
                if Int.random(in: 0..<3, using: &random) == 0 {
                    greenlets.randomElement(using: &random)?.cancel()
                }
                for _ in 0..<Int.random(in: 0..<3, using: &random) { await reactor.yield() }
            }
            for greenlet in greenlets { try await greenlet.join() }
            #expect(inside.numbers.isEmpty && guarded.isAtRest(), "seed \(seed)")
        }
    }

    /// What was put was taken by one getter or is still there; who was told that it was not put finds it nowhere.
    @Test(arguments: [nil, 1, 3] as [Int?], [UInt64](0..<6))
    func everyElementArrivesOnce(capacity: Int?, seed: UInt64) async throws {
        try await check(FIFOStorage<Int>.self, capacity, seed)
        try await check(LIFOStorage<Int>.self, capacity, seed)
        try await check(PriorityStorage<Int>.self, capacity, seed)
    }

    private func check<Storage: QueueStorage>(
        _: Storage.Type, _ capacity: Int?, _ seed: UInt64
    ) async throws where Storage.Element == Int {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            var random = SeededGenerator(seed: seed)
            let queue = WaitingQueue<Storage>(capacity: capacity)
            let put = IntLog()
            let got = IntLog()
            var greenlets: [Greenlet<Void>] = []
            for number in 0..<300 {
                let timeout: Duration? =
                    Int.random(in: 0..<3, using: &random) == 0
                    ? .microseconds(Int.random(in: 0..<200, using: &random)) : nil
                greenlets.append(
                    Bool.random(using: &random)
                        ? Greenlet.spawn { () async throws -> Void in
                            if try await queue.put(number, timeout: timeout) { put.numbers.append(number) }
                        }
                        : Greenlet.spawn { () throws -> Void in
                            if try queue.put(number, timeout: timeout) { put.numbers.append(number) }
                        })
                greenlets.append(
                    Bool.random(using: &random)
                        ? Greenlet.spawn { () async throws -> Void in
                            if let number = try await queue.get(timeout: timeout) {
                                got.numbers.append(number)
                            }
                        }
                        : Greenlet.spawn { () throws -> Void in
                            if let number = try queue.get(timeout: timeout) { got.numbers.append(number) }
                        })
                switch Int.random(in: 0..<8, using: &random) {
                case 0, 1: greenlets.randomElement(using: &random)?.cancel()
                case 2: if let number = queue.tryGet() { got.numbers.append(number) }
                case 3: if try queue.tryPut(number + 1000) { put.numbers.append(number + 1000) }
                case 4: try await reactor.sleep(for: .microseconds(50))
                default: break
                }
                for _ in 0..<Int.random(in: 0..<3, using: &random) { await reactor.yield() }
            }
            for _ in 0..<20 { await reactor.yield() }
            // Whoever still waits to put or to get, without a limit.
            for greenlet in greenlets where !greenlet.isReady {
                greenlet.cancel()
                await reactor.yield()
            }
            for greenlet in greenlets { try await greenlet.join() }
            while let number = queue.tryGet() { got.numbers.append(number) }
            #expect(put.numbers.sorted() == got.numbers.sorted(), "seed \(seed)")
            #expect(put.numbers.count > 100, "seed \(seed)")
            #expect(queue.getterCount == 0 && queue.putterCount == 0 && queue.isEmpty, "seed \(seed)")
        }
    }

    /// Slots are all free in the end, never more members than slots.
    @Test(arguments: [UInt64](0..<12))
    func poolKeepsItsLimitAndItsSlots(seed: UInt64) async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            var random = SeededGenerator(seed: seed)
            let pool = GreenletPool(limit: 4)
            let running = IntLog()
            let work: @ReactorActor (Int) async throws -> Int = { number in
                running.numbers.append(number)
                defer { running.numbers.remove(at: running.numbers.firstIndex(of: number)!) }
                #expect(running.numbers.count <= 4, "seed \(seed)")
                try await Greenlet.sleep(for: .microseconds(number % 5 * 50))
                return number
            }
            let workInFiber: @ReactorActor (Int) throws -> Int = { number in
                running.numbers.append(number)
                defer { running.numbers.remove(at: running.numbers.firstIndex(of: number)!) }
                #expect(running.numbers.count <= 4, "seed \(seed)")
                try Greenlet.sleep(for: .microseconds(number % 5 * 50))
                return number
            }
            var greenlets: [AnyGreenlet] = []
            for number in 0..<120 {
                switch Int.random(in: 0..<7, using: &random) {
                case 0:
                    greenlets.append(
                        Greenlet.spawn { () async throws -> Void in
                            try await pool.spawn { try await work(number) }
                        })
                case 1:
                    greenlets.append(
                        Greenlet.spawn { () throws -> Void in try pool.spawn { try workInFiber(number) } })
                case 2: greenlets.append(pool.applyLater { try await work(number) })
                case 3: greenlets.append(pool.applyLater { try workInFiber(number) })
                case 4:
                    greenlets.append(
                        Greenlet.spawn { () async throws -> Void in
                            let numbers = try await pool.map(number..<number + 6) { try await work($0) }
                            #expect(numbers == Array(number..<number + 6))
                        })
                case 5:
                    greenlets.append(
                        Greenlet.spawn { () async throws -> Void in
                            var sum = 0
                            for try await number in pool.unorderedResults(
                                of: 0..<6, maxBuffered: 2, { try workInFiber($0) })
                            {
                                sum += number
                            }
                            #expect(sum == 15)
                        })
                default:
                    greenlets.append(
                        Greenlet.spawn { () async throws -> Void in
                            _ = try await withTimeout(.microseconds(number), default: 0) {
                                try await pool.apply { try await work(number) }
                            }
                        })
                }
                if Int.random(in: 0..<4, using: &random) == 0 {
                    (Bool.random(using: &random) ? greenlets : pool.members).randomElement(using: &random)?
                        .cancel()
                }
                for _ in 0..<Int.random(in: 0..<4, using: &random) { await reactor.yield() }
            }
            for greenlet in greenlets { try await greenlet.join() }
            while pool.waiterCount > 0 || pool.count > 0 { try await pool.join() }
            #expect(running.numbers.isEmpty && pool.availableCount == 4, "seed \(seed)")
        }
    }
}
