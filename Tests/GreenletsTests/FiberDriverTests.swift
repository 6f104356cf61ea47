import Glibc
import ReactorCore
import ReactorTesting
import Testing

@testable import Greenlets

/// Fibers whose tasks do not run, and fibers whose tasks do, where nothing is bound that they could inherit: a test's own
/// task has values bound.
@Suite struct FiberDriverTests {
    enum Local {
        @TaskLocal static var number = 0
    }

    struct Lost: Error {}

    @ReactorActor final class Cell {
        var value = 0
        func change(by number: Int, _ body: () throws -> Void) rethrows {
            try Self.add(number, to: &value, body)
        }
        private static func add(_ number: Int, to value: inout Int, _ body: () throws -> Void) rethrows {
            try body()
            value += number
        }
    }

    /// Runs `body` on a reactor of its own, in a task that has no values bound.
    private func onBareReactor(
        _ setsCurrentTask: Bool, _ body: @escaping @Sendable @ReactorActor (Reactor) async throws -> Void
    ) async throws {
        try await withReactor { reactor in
            GreenletRegistry.of(reactor).setsCurrentTask = setsCurrentTask
            try await Self.start(reactor, body).value
        }
    }

    private static func start(
        _ reactor: Reactor, _ body: @escaping @Sendable @ReactorActor (Reactor) async throws -> Void
    ) -> Task<Void, any Error> {
        let body: @Sendable @ReactorActor () async throws -> Void = { try await body(reactor) }
        return Task.detached(executorPreference: reactor, operation: body)
    }

    @Test(arguments: [true, false])
    func requestSeesItsFibersValuesAndGreenlet(setsCurrentTask: Bool) async throws {
        try await onBareReactor(setsCurrentTask) { reactor in
            let greenlet = Greenlet.spawn { () throws -> [Int] in
                func ask() throws -> [Int] {
                    try Greenlet.blockingCall {
                        let before = Local.number
                        await reactor.yield()
                        return [before, Local.number, AnyGreenlet.current?.id ?? 0]
                    }
                }
                return try ask() + Local.$number.withValue(1) { try ask() + ask() } + ask()
            }
            let seen = try await greenlet.get()
            let id = greenlet.id
            #expect(seen == [0, 0, id, 1, 1, id, 1, 1, id, 0, 0, id])
        }
    }

    /// Each has a task of its own where values are bound: one begun by the one before would stand on its stack.
    @Test(arguments: [true, false])
    func hundredThousandRequestsThatDoNotWaitDoNotGrowTheStack(setsCurrentTask: Bool) async throws {
        try await onBareReactor(setsCurrentTask) { _ in
            let greenlet = Greenlet.spawn { () throws -> Int in
                try Local.$number.withValue(1) {
                    var sum = 0
                    for _ in 0..<100_000 { sum += try Greenlet.blockingCall { Local.number } }
                    return sum
                }
            }
            let sum = try await greenlet.get()
            #expect(sum == 100_000)
        }
    }

    @Test(arguments: [true, false], [1 as UInt64, 2, 3])
    func interleavedFibersKeepTheirValuesAndAccesses(setsCurrentTask: Bool, seed: UInt64) async throws {
        try await onBareReactor(setsCurrentTask) { reactor in
            var generator = SeededGenerator(seed: seed)
            for _ in 0..<3 {  // the later ones on drivers that have rested
                let plans = (1...60).map { _ in
                    (0..<20).map { _ in UInt8.random(in: 0..<6, using: &generator) }
                }
                let greenlets = plans.enumerated().map { number, plan in
                    Greenlet.spawn { try Self.follow(plan[...], number) }
                }
                for greenlet in greenlets {
                    let faults = try await greenlet.get()
                    #expect(faults == 0, "seed \(seed)")
                }
            }
            #expect(AnyGreenlet.current == nil && Local.number == 0)
        }
    }

    /// Parks in several ways, deeper and deeper in bound values and open accesses. How often it found something wrong.
    @ReactorActor private static func follow(_ plan: ArraySlice<UInt8>, _ number: Int) throws -> Int {
        guard let step = plan.first else { return 0 }
        let rest = plan.dropFirst()
        let current = AnyGreenlet.current?.id
        var faults = 0
        switch step {
        case 0: try Greenlet.yield()
        case 1: try Greenlet.sleep(for: .microseconds(10))
        case 2:
            let seen = try Greenlet.blockingCall {
                await Reactor.current.yield()
                return (Local.number, AnyGreenlet.current?.id)
            }
            if seen != (Local.number, current) { faults += 1 }
        case 3:
            faults += try Local.$number.withValue(number) {
                try Greenlet.yield()
                return try follow(rest, number) + (Local.number == number ? 0 : 1)
            }
            return faults
        case 4:
            let cell = Cell()
            try cell.change(by: number) { faults += try follow(rest, number) }
            return faults + (cell.value == number ? 0 : 1)
        default:
            let child = Greenlet.spawn { number }
            if try child.get() != number { faults += 1 }
        }
        if AnyGreenlet.current?.id != current { faults += 1 }
        return try faults + follow(rest, number)
    }

    @Test(arguments: [true, false])
    func killedRequestEndsAndLaterOnesAreSpared(setsCurrentTask: Bool) async throws {
        try await onBareReactor(setsCurrentTask) { reactor in
            for _ in 0..<3 {
                let victim = Greenlet.spawn { () throws -> Void in
                    try Greenlet.blockingCall { try await reactor.sleep(for: .seconds(3600)) }
                }
                await reactor.yield()
                await reactor.yield()
                try await victim.kill(throwing: Lost())
                await #expect(throws: Lost.self) { try await victim.get() }
                let next = Greenlet.spawn { () throws -> Bool in
                    let isCancelled = try Greenlet.blockingCall {
                        await reactor.yield()
                        return Task.isCancelled
                    }
                    return isCancelled || Task.isCancelled
                }
                let isCancelled = try await next.get()
                #expect(!isCancelled)
            }
        }
    }

    @Test(arguments: [true, false])
    func timeOutEndsARequestAndTheNextIsMade(setsCurrentTask: Bool) async throws {
        try await onBareReactor(setsCurrentTask) { reactor in
            let greenlet = Greenlet.spawn { () throws -> Int in
                try withTimeout(.milliseconds(1), default: ()) {
                    try Greenlet.blockingCall { try await reactor.sleep(for: .seconds(3600)) }
                }
                return try Greenlet.blockingCall {
                    await reactor.yield()
                    return Task.isCancelled ? 0 : 1
                }
            }
            let value = try await greenlet.get()
            #expect(value == 1)
        }
    }

    @Test(arguments: [true, false])
    func waitOfARequestForItsOwnGreenletIsAnError(setsCurrentTask: Bool) async throws {
        try await onBareReactor(setsCurrentTask) { _ in
            var greenlet: Greenlet<Void>?
            let made = Greenlet.spawn { () throws -> Void in
                try Greenlet.blockingCall { _ = try await greenlet!.join() }  // set below, before it runs
            }
            greenlet = made
            await #expect(throws: GreenletError.self) { try await made.get() }
            greenlet = nil
        }
    }

    @Test(arguments: [true, false])
    func dumpShowsWhatARequestWaitsFor(setsCurrentTask: Bool) async throws {
        try await onBareReactor(setsCurrentTask) { reactor in
            reactor.isAccounting = true
            let event = Event()
            let greenlet = Greenlet.spawn(name: "asker") { () throws -> Void in
                try Greenlet.blockingCall { _ = try await event.wait() }
                try Greenlet.yield()
            }
            await reactor.yield()
            await reactor.yield()
            let parked = reactor.dump().greenlets.first
            #expect(parked?.name == "asker" && parked?.state == .parked)
            #expect(parked?.waitsFor == "an event to be set")
            #expect(parked?.switchCount ?? 0 > 0)
            event.set()
            try await greenlet.get()
            reactor.isAccounting = false
        }
    }

    @Test(arguments: [true, false])
    func restingDriversAndRunnersEndWithTheRun(setsCurrentTask: Bool) throws {
        let reactor = Reactor()
        for _ in 0..<3 {
            try reactor.run(until: {
                let registry = GreenletRegistry.of(reactor)
                #expect(registry.restingDrivers.isEmpty && registry.restingRunners.isEmpty)
                registry.setsCurrentTask = setsCurrentTask
                try await Self.start(reactor) { reactor in
                    let greenlets = (0..<5).map { number in
                        Greenlet.spawn {
                            try Greenlet.blockingCall {
                                await reactor.yield()
                                return number
                            }
                        }
                    }
                    for greenlet in greenlets { _ = try await greenlet.get() }
                }.value
                #expect(registry.restingDrivers.count == 5)
                #expect(registry.restingRunners.isEmpty != setsCurrentTask)
            })
        }
    }
}
