import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite struct GreenletPoolTests {
    private struct Oops: Error, Equatable {}

    @Test func secondSpawnParksForAsLongAsTheFirstRuns() async throws {  // S56
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            for isSync in [false, true] {
                let pool = GreenletPool(limit: 1)
                let start = reactor.now
                if isSync {
                    try await Greenlet.spawn { () throws -> Void in
                        try pool.spawn { try Greenlet.sleep(for: .seconds(1)) }
                        #expect(start.duration(to: reactor.now) < .seconds(1))
                        try pool.spawn { try Greenlet.sleep(for: .seconds(1)) }
                    }.get()
                } else {
                    try await pool.spawn { try await Greenlet.sleep(for: .seconds(1)) }
                    #expect(start.duration(to: reactor.now) < .seconds(1) && pool.isFull)
                    try await pool.spawn { try await Greenlet.sleep(for: .seconds(1)) }
                }
                #expect(start.duration(to: reactor.now) == .seconds(1))
                try await pool.join()
                #expect(pool.availableCount == 1 && pool.count == 0)
            }
        }
    }

    @Test func poolOfZeroIsAlwaysFull() async throws {  // S56
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let pool = GreenletPool(limit: 0)
            let available = try await pool.waitUntilAvailable(timeout: .milliseconds(10))
            let inFiber = try await Greenlet.spawn { () throws -> Int in
                try pool.waitUntilAvailable(timeout: .milliseconds(10))
            }.get()
            #expect(pool.isFull && available == 0 && inFiber == 0)
            #expect(pool.trySpawn { () async throws -> Int in 1 } == nil)
            await #expect(throws: TimeoutError.self) {
                try await withTimeout(.seconds(1)) {
                    _ = try await pool.spawn { () async throws -> Int in 1 }
                }
            }
            #expect(pool.waiterCount == 0)
        }
    }

    @Test func poolWithoutALimitNeverParks() async throws {
        try await withReactor { _ in
            let pool = GreenletPool()
            for _ in 0..<1000 { try await pool.spawn { () async in await Greenlet.yield() } }
            #expect(pool.count == 1000 && !pool.isFull && pool.limit == nil)
            try await pool.join()
        }
    }

    @Test func slotIsFreeHoweverItsGreenletEnds() async throws {
        try await withReactor { reactor in
            reactor.onUncaughtError = { _, _ in }
            let pool = GreenletPool(limit: 4)
            try await pool.spawn { () throws -> Void in throw Oops() }
            try await pool.spawn { () async throws -> Void in throw Oops() }
            let asleep = try await pool.spawn { () throws -> Void in try Greenlet.sleep(for: .seconds(60)) }
            await Greenlet.yield()
            let unborn = try await pool.spawn { () throws -> Void in }
            unborn.cancel()
            asleep.cancel()
            try await pool.join()
            #expect(pool.availableCount == 4)
            let greenlet = try await pool.spawn { () async throws -> Void in
                try await Greenlet.sleep(for: .seconds(60))
            }
            #expect(pool.discard(greenlet) && pool.availableCount == 4 && pool.count == 0)
            try await greenlet.kill()
            #expect(pool.availableCount == 4)
        }
    }

    @Test func fullPoolRefusesAnotherGreenlet() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let pool = GreenletPool(limit: 1)
            let first = Greenlet.spawn { () async throws -> Void in
                try await Greenlet.sleep(for: .seconds(10))
            }
            let second = Greenlet.spawn { () async throws -> Void in
                try await Greenlet.sleep(for: .seconds(20))
            }
            try await pool.add(first)
            try await pool.add(first)  // takes no second slot
            #expect(!pool.tryAdd(second) && pool.tryAdd(first))
            let error = await #expect(throws: GreenletError.self) {
                try await pool.add(second, timeout: .seconds(1))
            }
            let inFiber = await #expect(throws: GreenletError.self) {
                try await Greenlet.spawn { () throws -> Void in try pool.add(second, timeout: .seconds(1)) }
                    .get()
            }
            #expect(error?.code == .full && inFiber?.code == .full && pool.waiterCount == 0)
            try await pool.add(second)
            #expect(first.isReady && pool.contains(second) && pool.isFull)
            try await pool.join()
            // An ended one leaves its slot to others.
            try await pool.add(first)
            #expect(pool.availableCount == 1)
        }
    }

    @Test func watcherIsToldOfAFreeSlot() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 1)
            let gate = Event()
            try await pool.spawn { () async throws -> Void in try await gate.wait() }
            let watcher = Greenlet.spawn { () async throws -> Int in try await pool.waitUntilAvailable() }
            await Greenlet.yield()
            #expect(!watcher.isReady)
            gate.set()
            let available = try await watcher.get()
            #expect(available == 1)
        }
    }

    @Test func killedSpawnerTakesNoSlot() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 1)
            let gate = Event()
            let log = IntLog()
            try await pool.spawn { () async throws -> Void in try await gate.wait() }
            let spawners = (0..<4).map { number in
                number % 2 == 0
                    ? Greenlet.spawn { () async throws -> Void in
                        try await pool.spawn { () async -> Void in log.numbers.append(number) }
                    }
                    : Greenlet.spawn { () throws -> Void in
                        try pool.spawn { () throws -> Void in log.numbers.append(number) }
                    }
            }
            while pool.waiterCount < 4 { await Greenlet.yield() }
            spawners[0].cancel()
            spawners[3].cancel()
            gate.set()
            for spawner in spawners { try await spawner.join() }
            try await pool.join()
            #expect(log.numbers == [1, 2] && pool.availableCount == 1 && pool.waiterCount == 0)
        }
    }

    @Test func killEndsMembersAndThoseThatWaitToBe() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 2)
            let log = IntLog()
            for _ in 0..<2 {
                try await pool.spawn { () async throws -> Void in try await Greenlet.sleep(for: .seconds(60))
                }
            }
            let spawner = Greenlet.spawn { () async throws -> Void in
                try await pool.spawn { () async -> Void in log.numbers.append(1) }
            }
            await Greenlet.yield()
            let isOver = try await pool.kill()
            try await spawner.get()
            try await pool.join()
            #expect(isOver && log.numbers.isEmpty && pool.availableCount == 2)
        }
    }

    @Test func negativeLimitTraps() async {
        await #expect(processExitsWith: .failure) {
            try await withReactor { _ in _ = GreenletPool(limit: -1) }
        }
    }

    // MARK: apply

    @Test func applyReturnsTheValueAndThrowsTheError() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 1)
            let one = try await pool.apply { () async throws -> Int in 1 }
            let two = try await pool.apply { () throws -> Int in
                try Greenlet.yield()
                return 2
            }
            let three = try await Greenlet.spawn { () throws -> Int in
                try pool.apply { () throws -> Int in 3 }
            }.get()
            #expect([one, two, three] == [1, 2, 3])
            await #expect(throws: Oops()) { try await pool.apply { () async throws -> Int in throw Oops() } }
            #expect(pool.availableCount == 1)
        }
    }

    @Test func applyFromAMemberDoesNotWaitForItself() async throws {  // S56
        try await withReactor { _ in
            let pool = GreenletPool(limit: 1)
            let async = try await pool.apply { () async throws -> Int in
                let one = try await pool.apply { () async throws -> Int in 1 }
                // Needs a stack of its own, and gets it in the same slot.
                let two = try await pool.apply { () throws -> Int in
                    try Greenlet.yield()
                    return 2
                }
                return one + two
            }
            let sync = try await pool.apply { () throws -> Int in
                try pool.apply { () throws -> Int in try pool.apply { () throws -> Int in 4 } }
            }
            #expect(async == 3 && sync == 4)
        }
    }

    @Test func cancelledCallerOfApplyTakesItsGreenletAlong() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 2)
            let callers = [
                Greenlet.spawn { () async throws -> Void in
                    try await pool.apply { () async throws in try await Greenlet.sleep(for: .seconds(60)) }
                },
                Greenlet.spawn { () throws -> Void in
                    try pool.apply { () throws in try Greenlet.sleep(for: .seconds(60)) }
                },
            ]
            while !pool.isFull { await Greenlet.yield() }
            await Greenlet.yield()
            for caller in callers { try await caller.kill() }
            try await pool.join()
            #expect(pool.availableCount == 2)
        }
    }

    @Test func applyLaterNeverWaitsAndKeepsTheLimit() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 2)
            let log = IntLog()
            let greenlets = (0..<20).map { number in
                number % 2 == 0
                    ? pool.applyLater(
                        { () async throws -> Int in
                            log.numbers.append(number)
                            #expect(pool.count <= 2 && pool.contains(AnyGreenlet.current!))
                            await Greenlet.yield()
                            return number
                        },
                        completion: { if case .success(let number) = $0 { log.numbers.append(number + 100) } }
                    )
                    : pool.applyLater { () throws -> Int in
                        log.numbers.append(number)
                        #expect(pool.count <= 2 && pool.contains(AnyGreenlet.current!))
                        try Greenlet.yield()
                        return number
                    }
            }
            #expect(pool.count == 2)
            await Greenlet.yield()
            greenlets[19].cancel()
            for greenlet in greenlets.dropLast() { _ = try await greenlet.get() }
            try await greenlets[19].join()
            #expect(log.numbers.filter { $0 < 100 } == Array(0..<19))
            #expect(log.numbers.filter { $0 >= 100 }.sorted() == stride(from: 100, to: 119, by: 2).map { $0 })
            #expect(pool.availableCount == 2 && pool.waiterCount == 0)
        }
    }
}
