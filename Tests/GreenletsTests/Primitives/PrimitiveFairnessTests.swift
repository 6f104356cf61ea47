import Greenlets
import ReactorCore
import ReactorTesting
import Testing

/// The lines of the primitives, seen from outside: how to stand in one, and how whoever is first is served.
@ReactorActor struct Counter {
    /// Waits; false when the time is over. Nil for no limit.
    let enter: @ReactorActor (Duration?) async throws -> Bool
    let enterInFiber: @ReactorActor (Duration?) throws -> Bool
    /// Serves whoever is first.
    let serve: @ReactorActor () throws -> Void
    let waiterCount: @ReactorActor () -> Int
    /// How much there is for those who come: zero again when all has been taken that was served.
    let surplus: @ReactorActor () -> Int
}

enum Primitive: CaseIterable, CustomTestStringConvertible {
    case semaphore, lock, recursiveLock, queueGet, queuePut, lifoGet, priorityGet, channelReceive,
        channelSend, pool

    var testDescription: String { "\(self)" }

    @ReactorActor func makeCounter() async throws -> Counter {
        switch self {
        case .semaphore:
            let semaphore = GreenletSemaphore(0)
            return Counter(
                enter: { try await semaphore.acquire(timeout: $0) },
                enterInFiber: { try semaphore.acquire(timeout: $0) }, serve: { try semaphore.release() },
                waiterCount: { semaphore.waiterCount }, surplus: { semaphore.availableCount })
        case .lock:
            let lock = GreenletLock()
            try await lock.acquire()
            return Counter(
                enter: { try await lock.acquire(timeout: $0) },
                enterInFiber: { try lock.acquire(timeout: $0) },
                serve: { try lock.release() }, waiterCount: { lock.waiterCount },
                surplus: { lock.isLocked ? 0 : 1 })
        case .recursiveLock:
            // Each gives it back as it gets it, for only it can: so one `serve` serves all.
            let lock = RecursiveGreenletLock()
            try await lock.acquire()
            return Counter(
                enter: {
                    guard try await lock.acquire(timeout: $0) else { return false }
                    try lock.release()
                    return true
                },
                enterInFiber: {
                    guard try lock.acquire(timeout: $0) else { return false }
                    try lock.release()
                    return true
                }, serve: { if lock.isHeldByCaller { try lock.release() } },
                waiterCount: { lock.waiterCount },
                surplus: { lock.depth })
        case .queueGet: return Self.getCounter(Queue<Int>())
        case .lifoGet: return Self.getCounter(LIFOQueue<Int>())
        case .priorityGet: return Self.getCounter(PriorityQueue<Int>())
        case .queuePut:
            let queue = Queue<Int>(capacity: 1)
            try await queue.put(0)
            return Counter(
                enter: { try await queue.put(1, timeout: $0) },
                enterInFiber: { try queue.put(1, timeout: $0) },
                serve: { _ = queue.tryGet() }, waiterCount: { queue.putterCount },
                surplus: { 1 - queue.count })
        case .channelReceive:
            let channel = Channel<Int>()
            return Counter(
                enter: { try await channel.receive(timeout: $0) != nil },
                enterInFiber: { try channel.receive(timeout: $0) != nil },
                serve: { _ = try channel.trySend(1) },
                waiterCount: { channel.receiverCount }, surplus: { channel.senderCount })
        case .channelSend:
            let channel = Channel<Int>()
            return Counter(
                enter: { try await channel.send(1, timeout: $0) },
                enterInFiber: { try channel.send(1, timeout: $0) }, serve: { _ = channel.tryReceive() },
                waiterCount: { channel.senderCount }, surplus: { channel.receiverCount })
        case .pool:
            // Members that never end but by being taken out: `AnyGreenlet`s of the callers themselves.
            let pool = GreenletPool(limit: 1)
            let holder = Greenlet.spawn { () async throws -> Void in
                try await Greenlet.sleep(for: .seconds(3600))
            }
            try await pool.add(holder)
            return Counter(
                enter: {
                    do { try await pool.add(AnyGreenlet.current!, timeout: $0) } catch let error
                        as GreenletError
                        where error.code == .full
                    {
                        return false
                    }
                    return true
                },
                enterInFiber: {
                    do { try pool.add(AnyGreenlet.current!, timeout: $0) } catch let error as GreenletError
                        where error.code == .full
                    {
                        return false
                    }
                    return true
                },
                serve: {
                    // Who has got in ends soon and lets the next in.
                    if !holder.isReady { holder.cancel() }
                }, waiterCount: { pool.waiterCount }, surplus: { 1 - pool.availableCount })
        }
    }

    @ReactorActor private static func getCounter<Storage: QueueStorage>(
        _ queue: WaitingQueue<Storage>
    ) -> Counter where Storage.Element == Int {
        Counter(
            enter: { try await queue.get(timeout: $0) != nil },
            enterInFiber: { try queue.get(timeout: $0) != nil },
            serve: { try queue.accept(1) }, waiterCount: { queue.getterCount }, surplus: { queue.count })
    }
}

extension WaitingQueue {
    /// Puts an element into a queue that has room.
    fileprivate func accept(_ element: Element) throws {
        let isIn = try tryPut(element)
        #expect(isIn)
    }
}

/// First come, first served among those who are left, at every primitive: who is killed, cancelled or out of time takes
/// nothing, and who was served has it, be it killed the next moment.
@Suite struct PrimitiveFairnessTests {
    @Test(arguments: Primitive.allCases, [UInt64](0..<6))
    func survivorsAreServedInOrderAndNothingIsLost(_ primitive: Primitive, seed: UInt64) async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var random = SeededGenerator(seed: seed)
            let counter = try await primitive.makeCounter()
            let log = IntLog()
            var survivors: [Int] = []
            var greenlets: [Greenlet<Void>] = []
            var victims: [Greenlet<Void>] = []
            for number in 0..<200 {
                let fate = Int.random(in: 0..<4, using: &random)
                // Out of time after a second; in time; without a limit.
                let timeout: Duration? = fate == 0 ? .seconds(1) : fate == 1 ? .seconds(100) : nil
                let greenlet =
                    Bool.random(using: &random)
                    ? Greenlet.spawn { () async throws -> Void in
                        if try await counter.enter(timeout) { log.numbers.append(number) }
                    }
                    : Greenlet.spawn { () throws -> Void in
                        if try counter.enterInFiber(timeout) { log.numbers.append(number) }
                    }
                greenlets.append(greenlet)
                if fate == 3 { victims.append(greenlet) } else if fate != 0 { survivors.append(number) }
            }
            while counter.waiterCount() < 200 { await Greenlet.yield() }
            // Killed in any order, some before and some after the others are out of time.
            victims.shuffle(using: &random)
            for victim in victims.prefix(victims.count / 2) { victim.cancel() }
            await clock.pump([.seconds(1)])
            for victim in victims.dropFirst(victims.count / 2) { victim.cancel() }
            #expect(counter.waiterCount() == survivors.count && log.numbers.isEmpty, "seed \(seed)")
            while counter.waiterCount() > 0 {
                try counter.serve()
                if Int.random(in: 0..<3, using: &random) == 0 { await Greenlet.yield() }
            }
            for greenlet in greenlets { try await greenlet.join() }
            #expect(log.numbers == survivors, "seed \(seed)")
            #expect(counter.surplus() == 0, "seed \(seed)")
        }
    }

    @Test(arguments: Primitive.allCases.filter { $0 != .recursiveLock && $0 != .pool }, [false, true])
    func killAfterBeingServedComesTooLate(_ primitive: Primitive, isSync: Bool) async throws {
        try await withReactor { _ in
            let counter = try await primitive.makeCounter()
            let greenlet =
                isSync
                ? Greenlet.spawn { () throws -> Bool in try counter.enterInFiber(nil) }
                : Greenlet.spawn { () async throws -> Bool in try await counter.enter(nil) }
            while counter.waiterCount() < 1 { await Greenlet.yield() }
            try counter.serve()
            greenlet.cancel()
            let isServed = try await greenlet.get()
            #expect(isServed && counter.surplus() == 0)
        }
    }

    @Test(arguments: Primitive.allCases.filter { $0 != .pool }, [1, 100, 1000, 10_000])
    func manyWaiters(_ primitive: Primitive, count: Int) async throws {
        try await withReactor { _ in
            let counter = try await primitive.makeCounter()
            let log = IntLog()
            let greenlets = (0..<count).map { number in
                Greenlet.spawn { () async throws -> Void in
                    if try await counter.enter(nil) { log.numbers.append(number) }
                }
            }
            while counter.waiterCount() < count { await Greenlet.yield() }
            for _ in 0..<count { try counter.serve() }
            for greenlet in greenlets { try await greenlet.get() }
            #expect(log.numbers == Array(0..<count) && counter.surplus() == 0)
        }
    }
}
